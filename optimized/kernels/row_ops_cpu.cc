// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/row_ops.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optimized/kernels/row_ops_cpu.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "optimized/kernels/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

float sum_of_squares(const float* x, std::size_t count) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d);
  auto s1 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto a = hn::LoadU(d, x + i);
    const auto b = hn::LoadU(d, x + i + lanes);
    s0 = hn::MulAdd(a, a, s0);
    s1 = hn::MulAdd(b, b, s1);
  }
  float sum = sum_of(hn::Add(s0, s1));
  for (; i < count; ++i) {
    sum += x[i] * x[i];
  }
  return sum;
}

void rms_norm_row(const float* x, const float* scale, double eps, std::size_t count, float* y) {
  const F32 d;
  const double mean = static_cast<double>(sum_of_squares(x, count)) / static_cast<double>(count);
  const auto factor = static_cast<float>(1.0 / std::sqrt(mean + eps));
  const auto by = hn::Set(d, factor);
  map_rows(count, y, [&](const auto& load) HWY_ATTR {
    const auto normed = hn::Mul(load(x), by);
    return scale == nullptr ? normed : hn::Mul(normed, load(scale));
  });
}

void rope_row(float* x, std::size_t heads, std::size_t half, const float* cos, const float* sin) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t n = 0; n < heads; ++n, x += 2 * half) {
    std::size_t c = 0;
    for (; c + lanes <= half; c += lanes) {
      const auto first = hn::LoadU(d, x + c);
      const auto second = hn::LoadU(d, x + half + c);
      const auto co = hn::LoadU(d, cos + c);
      const auto si = hn::LoadU(d, sin + c);
      hn::StoreU(hn::NegMulAdd(second, si, hn::Mul(first, co)), d, x + c);
      hn::StoreU(hn::MulAdd(first, si, hn::Mul(second, co)), d, x + half + c);
    }
    for (; c < half; ++c) {
      const float first = x[c];
      const float second = x[half + c];
      x[c] = first * cos[c] - second * sin[c];
      x[half + c] = second * cos[c] + first * sin[c];
    }
  }
}

void gelu_row(const float* x, std::size_t count, float* y) {
  const F32 d;
  const auto linear = hn::Set(d, -1.5957691216057308F);  // -2 sqrt(2/pi)
  const auto cubic = hn::Set(d, -0.07135481282052F);     // -2 sqrt(2/pi) 0.044715
  const auto one = hn::Set(d, 1.0F);
  const auto most = hn::Set(d, 87.0F);
  map_rows(count, y, [&](const auto& load) HWY_ATTR {
    const auto v = load(x);
    const auto inner = hn::Mul(v, hn::MulAdd(hn::Mul(v, v), cubic, linear));
    return hn::Div(v, hn::Add(one, hn::Exp(d, hn::Min(inner, most))));
  });
}

// tanh to about 3 u: below 0.6 a polynomial, fitted for the least relative error, above
// 1 - 2 / (e^2x + 1). hn::Tanh loses 5 u where its pieces meet.
HWY_INLINE Vector tanh_of(Vector x) {
  const F32 d;
  const auto one = hn::Set(d, 1.0F);
  const auto size = hn::Abs(x);
  const auto z = hn::Mul(x, x);
  auto p = hn::MulAdd(z, hn::Set(d, -0.00589515036F), hn::Set(d, 0.0207959637F));
  p = hn::MulAdd(z, p, hn::Set(d, -0.0537838265F));
  p = hn::MulAdd(z, p, hn::Set(d, 0.133319244F));
  p = hn::MulAdd(z, p, hn::Set(d, -0.333332986F));
  const auto small = hn::MulAdd(hn::Mul(x, z), p, x);
  const auto e = hn::Exp(d, hn::Min(hn::Add(size, size), hn::Set(d, 40.0F)));
  const auto large = hn::CopySign(hn::Sub(one, hn::Div(hn::Set(d, 2.0F), hn::Add(e, one))), x);
  return hn::IfThenElse(hn::Ge(size, hn::Set(d, 0.6F)), large, small);  // NaN is small
}

void softcap_row(float* x, std::size_t count, double cap) {
  const F32 d;
  const auto by = hn::Set(d, static_cast<float>(cap));
  map_rows(count, x,
           [&](const auto& load) HWY_ATTR { return hn::Mul(tanh_of(hn::Div(load(x), by)), by); });
}

void add_row(float* y, const float* x, float factor, std::size_t count) {
  const auto by = hn::Set(F32(), factor);
  map_rows(count, y, [&](const auto& load) HWY_ATTR { return hn::MulAdd(load(x), by, load(y)); });
}

void multiply_row(float* y, const float* x, std::size_t count) {
  map_rows(count, y, [&](const auto& load) HWY_ATTR { return hn::Mul(load(x), load(y)); });
}

void scale_row(float* y, float factor, std::size_t count) {
  const auto by = hn::Set(F32(), factor);
  map_rows(count, y, [&](const auto& load) HWY_ATTR { return hn::Mul(load(y), by); });
}

// A row with a NaN gives NaN.
void softmax_row(float* x, std::size_t count) {
  const F32 d;
  float most = x[0];
  auto largest = hn::Set(d, most);
  each_vector(
      count, [&](std::size_t i) HWY_ATTR { largest = hn::Max(largest, hn::LoadU(d, x + i)); },
      [&](std::size_t i, std::size_t rest) { most = *std::max_element(x + i, x + i + rest); });
  const auto base = hn::Set(d, std::max(most, hn::GetLane(hn::MaxOfLanes(d, largest))));
  const auto share = [&](Vector score) HWY_ATTR {
    const auto below = hn::Sub(score, base);
    return hn::IfThenElse(hn::IsNaN(below), below, hn::Exp(d, below));
  };
  auto sums = hn::Zero(d);
  float sum = 0;
  each_vector(
      count,
      [&](std::size_t i) HWY_ATTR {
        const auto value = share(hn::LoadU(d, x + i));
        sums = hn::Add(sums, value);
        hn::StoreU(value, d, x + i);
      },
      [&](std::size_t i, std::size_t rest) HWY_ATTR {
        store_some(share(load_some(x + i, rest)), rest, x + i);
        sum = std::accumulate(x + i, x + i + rest, 0.0F);
      });
  const auto all = hn::Set(d, sum + sum_of(sums));
  map_rows(count, x, [&](const auto& load) HWY_ATTR { return hn::Div(load(x), all); });
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::cpu {

HWY_EXPORT(rms_norm_row);
HWY_EXPORT(rope_row);
HWY_EXPORT(gelu_row);
HWY_EXPORT(softcap_row);
HWY_EXPORT(softmax_row);
HWY_EXPORT(add_row);
HWY_EXPORT(multiply_row);
HWY_EXPORT(scale_row);

void rms_norm(const float* x, const float* scale, double eps, std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(rms_norm_row)(x, scale, eps, count, y);
}

void rope(float* x, std::size_t heads, std::size_t half, const float* cos, const float* sin) {
  HWY_DYNAMIC_DISPATCH(rope_row)(x, heads, half, cos, sin);
}

void gelu(const float* x, std::size_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(gelu_row)(x, count, y);
}

void softcap(float* x, std::size_t count, double cap) {
  HWY_DYNAMIC_DISPATCH(softcap_row)(x, count, cap);
}

void add_to(float* y, const float* x, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(add_row)(y, x, 1.0F, count);
}

void multiply_by(float* y, const float* x, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(multiply_row)(y, x, count);
}

void scale_by(float* y, float factor, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(scale_row)(y, factor, count);
}

void add_scaled(float* y, const float* x, float factor, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(add_row)(y, x, factor, count);
}

void softmax(float* x, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(softmax_row)(x, count);
}

}  // namespace assay::cpu
#endif
