// SPDX-License-Identifier: Apache-2.0
// A linear map without bias, as all linear maps of the text model are.
//
//   y[r,o] = sum_i weight[o,i] * x[r,i]
//
// `weight` is stored [out, in], as in the checkpoint. The product is xt::linalg::dot (OpenBLAS);
// its test compares it with the plain triple loop. One row takes the matrix-vector routine, so a
// row alone and the same row among others may differ in the last bits.  Spec: R-02.
//
// With activation scales x and y are rounded (fake_quantize.h), or x as a program rounds it that
// multiplies the weight as it is stored (input_rounding.h).
#pragma once

#include "reference/core/tensor.h"
#include "reference/weights/linear_weights.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, O> linear(const Tensor<R, I>& x, const Tensor<O, I>& weight);
Tensor<R, O> linear(const Tensor<R, I>& x, const Tensor<O, I>& weight, ActivationScales scales);
Tensor<R, O> linear(const Tensor<R, I>& x, const LinearWeights& w);

// The same map, its outputs read as heads: [T, heads * head_dim] -> [T, heads, head_dim].
Tensor<T, N, H> linear_heads(const Tensor<T, D>& x, const LinearWeights& w, std::size_t heads);

}  // namespace assay::ASSAY_REFERENCE
