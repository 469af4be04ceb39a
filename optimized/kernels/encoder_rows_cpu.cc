// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/encoder_rows.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optimized/kernels/encoder_rows_cpu.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "optimized/kernels/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

HWY_INLINE Vector sigmoid(Vector x) {
  const F32 d;
  const auto one = hn::Set(d, 1.0F);
  const auto most = hn::Set(d, 87.0F);  // exp of it is finite
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(x), most))));
}

void clamp(const float* x, float lowest, float highest, std::size_t count, float* y) {
  const F32 d;
  const auto low = hn::Set(d, lowest);
  const auto high = hn::Set(d, highest);
  map_rows(count, y,
           [&](const auto& load) HWY_ATTR { return hn::Min(hn::Max(load(x), low), high); });
}

void relu_row(float* x, std::size_t count) {
  map_rows(count, x, [&](const auto& load) HWY_ATTR { return hn::Max(load(x), hn::Zero(F32())); });
}

void silu_row(const float* x, std::size_t count, float* y) {
  map_rows(count, y, [&](const auto& load) HWY_ATTR {
    const auto v = load(x);
    return hn::Mul(v, sigmoid(v));
  });
}

void gate_row(const float* x, const float* gate, std::size_t count, float* y) {
  map_rows(count, y,
           [&](const auto& load) HWY_ATTR { return hn::Mul(load(x), sigmoid(load(gate))); });
}

// sum (x - centre)^power, power 1 or 2. Four sums in turn, so that none waits for its last step.
template <int kPower>
HWY_INLINE float sum_around(const float* x, std::size_t count, float centre) {
  const F32 d;
  const auto middle = hn::Set(d, centre);
  Vector sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  const auto add = [&](std::size_t i, Vector& to) HWY_ATTR {
    const auto off = hn::Sub(hn::LoadU(d, x + i), middle);
    to = kPower == 1 ? hn::Add(to, off) : hn::MulAdd(off, off, to);
  };
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    for (std::size_t j = 0; j < 4; ++j) {
      add(i + j * lanes, sum[j]);
    }
  }
  for (; i + lanes <= count; i += lanes) {
    add(i, sum[0]);
  }
  float rest = 0;
  for (; i < count; ++i) {
    const float off = x[i] - centre;
    rest += kPower == 1 ? off : off * off;
  }
  return sum_of(hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3]))) + rest;
}

void layer_norm_row(const float* x, const float* weight, const float* bias, double eps,
                    std::size_t count, float* y) {
  const F32 d;
  const auto n = static_cast<float>(count);
  const float first = sum_around<1>(x, count, 0) / n;
  const float mean = first + sum_around<1>(x, count, first) / n;
  const double variance = static_cast<double>(sum_around<2>(x, count, mean) / n);
  const auto by = hn::Set(d, static_cast<float>(1 / std::sqrt(variance + eps)));
  const auto middle = hn::Set(d, mean);
  map_rows(count, y, [&](const auto& load) HWY_ATTR {
    const auto normed = hn::Mul(load(weight), hn::Mul(hn::Sub(load(x), middle), by));
    return bias == nullptr ? normed : hn::Add(normed, load(bias));
  });
}

void conv_row(const float* const* rows, const float* weight, std::size_t points, std::size_t count,
              float* y) {
  map_rows(count, y, [&](const auto& load) HWY_ATTR {
    auto sum = hn::Zero(F32());
    for (std::size_t j = 0; j < points; ++j) {
      if (rows[j] != nullptr) {
        sum = hn::MulAdd(load(weight + j * count), load(rows[j]), sum);
      }
    }
    return sum;
  });
}

void scores_row(const float* q, LookBack keys, LookBack places, std::size_t seen, std::size_t width,
                float* scores) {
  const F32 d;
  for (std::size_t w = 0; w < seen; ++w) {
    const float* const key = keys.newest - w * keys.stride;
    const float* const place = places.newest - w * places.stride;
    auto by_key = hn::Zero(d);
    auto by_place = hn::Zero(d);
    const auto add = [&](Vector query, Vector k, Vector p) HWY_ATTR {
      by_key = hn::MulAdd(query, k, by_key);
      by_place = hn::MulAdd(query, p, by_place);
    };
    each_vector(
        width,
        [&](std::size_t i)
            HWY_ATTR { add(hn::LoadU(d, q + i), hn::LoadU(d, key + i), hn::LoadU(d, place + i)); },
        [&](std::size_t i, std::size_t rest) HWY_ATTR {
          add(load_some(q + i, rest), load_some(key + i, rest), load_some(place + i, rest));
        });
    scores[w] = sum_of(by_key) + sum_of(by_place);
  }
}

void mix_row(const float* probs, LookBack values, std::size_t seen, std::size_t width, float* out) {
  const F32 d;
  map_rows(width, out, [&](const auto& load) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (std::size_t w = 0; w < seen; ++w) {
      sum = hn::MulAdd(hn::Set(d, probs[w]), load(values.newest - w * values.stride), sum);
    }
    return sum;
  });
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::cpu {

HWY_EXPORT(clamp);
HWY_EXPORT(conv_row);
HWY_EXPORT(gate_row);
HWY_EXPORT(layer_norm_row);
HWY_EXPORT(mix_row);
HWY_EXPORT(relu_row);
HWY_EXPORT(scores_row);
HWY_EXPORT(silu_row);

void clamp_row(const float* x, float lowest, float highest, std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(clamp)(x, lowest, highest, count, y);
}

void layer_norm(const float* x, const float* weight, const float* bias, double eps,
                std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(layer_norm_row)(x, weight, bias, eps, count, y);
}

void relu(float* x, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(relu_row)(x, count);
}

void silu(const float* x, std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(silu_row)(x, count, y);
}

void gate_by_sigmoid(const float* x, const float* gate, std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(gate_row)(x, gate, count, y);
}

void depthwise_conv1d(const float* const* rows, const float* weight, std::size_t points,
                      std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(conv_row)(rows, weight, points, count, y);
}

void local_scores(const float* q, LookBack keys, LookBack places, std::size_t seen,
                  std::size_t width, float* scores) {
  HWY_DYNAMIC_DISPATCH(scores_row)(q, keys, places, seen, width, scores);
}

void local_mix(const float* probs, LookBack values, std::size_t seen, std::size_t width,
               float* out) {
  HWY_DYNAMIC_DISPATCH(mix_row)(probs, values, seen, width, out);
}

}  // namespace assay::cpu
#endif
