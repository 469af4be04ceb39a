// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/attention.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// Query heads per key/value head.
std::size_t group_size(std::size_t query_heads, std::size_t key_heads) {
  if (key_heads == 0 || query_heads % key_heads != 0) {
    throw Error("attention: got " + std::to_string(query_heads) +
                " query heads, expected a multiple of " + std::to_string(key_heads));
  }
  return query_heads / key_heads;
}

}  // namespace

Tensor<T, N, S> attention_scores(const Tensor<T, N, H>& q, const Tensor<S, K, H>& k) {
  const std::size_t queries = q.shape()[0];
  const std::size_t heads = q.shape()[1];
  const std::size_t width = q.shape()[2];
  const std::size_t keys = k.shape()[0];
  const std::size_t group = group_size(heads, k.shape()[1]);
  check_shape(k, {keys, heads / group, width}, "attention_scores: k");

  auto scores = make_tensor<T, N, S>({queries, heads, keys});
  for (std::size_t t = 0; t < queries; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t s = 0; s < keys; ++s) {
        Real sum = 0;
        for (std::size_t h = 0; h < width; ++h) {
          sum += q(t, n, h) * k(s, n / group, h);
        }
        scores(t, n, s) = sum;
      }
    }
  }
  return scores;
}

Tensor<T, N, H> attention_mix(const Tensor<T, N, S>& probs, const Tensor<S, K, H>& v) {
  const std::size_t queries = probs.shape()[0];
  const std::size_t heads = probs.shape()[1];
  const std::size_t keys = probs.shape()[2];
  const std::size_t width = v.shape()[2];
  const std::size_t group = group_size(heads, v.shape()[1]);
  check_shape(v, {keys, heads / group, width}, "attention_mix: v");

  auto mix = make_tensor<T, N, H>({queries, heads, width});
  for (std::size_t t = 0; t < queries; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t s = 0; s < keys; ++s) {
        const Real weight = probs(t, n, s);
        for (std::size_t h = 0; h < width; ++h) {
          mix(t, n, h) += weight * v(s, n / group, h);
        }
      }
    }
  }
  return mix;
}

}  // namespace assay::ASSAY_REFERENCE
