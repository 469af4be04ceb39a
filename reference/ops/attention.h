// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention without the scale, in its two halves around the softmax.
//
//   scores[t,n,s] = sum_h q[t,n,h] * k[s, g(n), h]            times 1, not 1/sqrt(H)
//   mix[t,n,h]    = sum_s probs[t,n,s] * v[s, g(n), h]        g(n) = floor(n / (N/K))
//
// Vaswani et al. 2017, eq. 1. The normed queries and keys carry the scale here. Query heads share
// key/value heads in contiguous groups.  Spec.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, N, S> attention_scores(const Tensor<T, N, H>& q, const Tensor<S, K, H>& k);

Tensor<T, N, H> attention_mix(const Tensor<T, N, S>& probs, const Tensor<S, K, H>& v);

}  // namespace assay::ASSAY_REFERENCE
