// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/local_attention.h"

#include <algorithm>

namespace assay::ASSAY_REFERENCE {
namespace {

// Distances that exist for row t: 0 ... seen(t) - 1.
std::size_t seen(std::size_t t, std::size_t window) {
  return std::min(t + 1, window);
}

Real dot(std::span<const Real> a, std::span<const Real> b) {
  Real sum = 0;
  for (std::size_t h = 0; h < a.size(); ++h) {
    sum += a[h] * b[h];
  }
  return sum;
}

void add(std::span<Real> sum, Real weight, std::span<const Real> values) {
  for (std::size_t h = 0; h < sum.size(); ++h) {
    sum[h] += weight * values[h];
  }
}

}  // namespace

Tensor<T, N, S> local_attention_logits(const Tensor<T, N, H>& q, const Tensor<T, N, H>& k,
                                       const Tensor<R, N, H>& rel_k, std::size_t window) {
  const auto [rows, heads, width] = q.shape();
  const std::size_t distances = rel_k.shape()[0];
  check_shape(k, {rows, heads, width}, "local_attention_logits: k");
  check_shape(rel_k, {std::max(distances, window), heads, width}, "local_attention_logits: rel_k");

  auto logits = make_tensor<T, N, S>({rows, heads, window});
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      const auto query = row(q, t * heads + n, width);
      for (std::size_t w = 0; w < seen(t, window); ++w) {
        const auto key = row(k, (t - w) * heads + n, width);
        const auto place = row(rel_k, (distances - 1 - w) * heads + n, width);
        logits(t, n, w) = dot(query, key) + dot(query, place);
      }
    }
  }
  return logits;
}

IntTensor<T, S> local_mask(std::size_t rows, std::size_t window) {
  IntTensor<T, S> visible = IntTensor<T, S>::from_shape({rows, window});
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t w = 0; w < window; ++w) {
      visible(t, w) = w < seen(t, window) ? 1 : 0;
    }
  }
  return visible;
}

Tensor<T, N, H> local_attention_mix(const Tensor<T, N, S>& probs, const Tensor<T, N, H>& v) {
  const auto [rows, heads, window] = probs.shape();
  const std::size_t width = v.shape()[2];
  check_shape(v, {rows, heads, width}, "local_attention_mix: v");

  auto mix = make_tensor<T, N, H>({rows, heads, width});
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t w = 0; w < seen(t, window); ++w) {
        add(row(mix, t * heads + n, width), probs(t, n, w), row(v, (t - w) * heads + n, width));
      }
    }
  }
  return mix;
}

Tensor<N, T, S> by_key(const Tensor<T, N, S>& values) {
  const auto [rows, heads, window] = values.shape();
  auto dense = make_tensor<N, T, S>({heads, rows, rows});
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t w = 0; w < seen(t, window); ++w) {
        dense(n, t, t - w) = values(t, n, w);
      }
    }
  }
  return dense;
}

Tensor<T, N, S> by_distance(const Tensor<N, T, S>& dense, std::size_t window) {
  const auto [heads, rows, keys] = dense.shape();
  check_shape(dense, {heads, rows, rows}, "by_distance: dense");
  auto values = make_tensor<T, N, S>({rows, heads, window});
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t w = 0; w < seen(t, window); ++w) {
        values(t, n, w) = dense(n, t, t - w);
      }
    }
  }
  return values;
}

}  // namespace assay::ASSAY_REFERENCE
