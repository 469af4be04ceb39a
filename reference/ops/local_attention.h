// SPDX-License-Identifier: Apache-2.0
// Attention of a row to itself and a few rows before it, which it tells apart by distance.
//
//   logits[t,n,w] = q[t,n] . k[t-w,n]  +  q[t,n] . rel_k[r(w),n]       w <= t, 0 <= w < W
//   mix[t,n]      = sum_w probs[t,n,w] * v[t-w,n]
//
// The last axis is the distance w from query to key; what lies before the first row does not exist
// and stays 0. Row r of rel_k belongs to distance rows - 1 - r. The originals compute the same in
// blocks of 12 queries by 24 keys with a shifted copy of the second term; a test does that, too.
// Dai et al. 2019, appendix B.  Spec: multimodal 5.6, RC-12, RC-14.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

// q and k are scaled already. W = window; rel_k has at least as many rows.
Tensor<T, N, S> local_attention_logits(const Tensor<T, N, H>& q, const Tensor<T, N, H>& k,
                                       const Tensor<R, N, H>& rel_k, std::size_t window);

// 1 where a key at this distance exists.
IntTensor<T, S> local_mask(std::size_t rows, std::size_t window);

Tensor<T, N, H> local_attention_mix(const Tensor<T, N, S>& probs, const Tensor<T, N, H>& v);

// The same values as [N, query, key], 0 outside the window, and back.
Tensor<N, T, S> by_key(const Tensor<T, N, S>& values);
Tensor<T, N, S> by_distance(const Tensor<N, T, S>& dense, std::size_t window);

}  // namespace assay::ASSAY_REFERENCE
