// SPDX-License-Identifier: Apache-2.0
// Root-mean-square normalisation over the last axis.
//
//   y[r,d] = scale[d] * x[r,d] / sqrt( (1/D) * sum_i x[r,i]^2 + eps )
//
// Zhang & Sennrich 2019, eq. 4. Gemma 4 multiplies by scale itself; Gemma 1-3 multiplied by
// (1 + scale). eps stands inside the root. The unscaled form leaves scale out: it is the norm of
// the values and of the router's input.  Spec.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

// The sum runs over d = 0, 1, ..., D-1.
Tensor<R, D> rms_norm(const Tensor<R, D>& x, const Tensor<D>& scale, double eps);
Tensor<R, D> rms_norm_unscaled(const Tensor<R, D>& x, double eps);

// The same for each head by itself; all heads share one scale [H].
Tensor<T, N, H> rms_norm_heads(const Tensor<T, N, H>& x, const Tensor<H>& scale, double eps);
Tensor<T, N, H> rms_norm_heads_unscaled(const Tensor<T, N, H>& x, double eps);

}  // namespace assay::ASSAY_REFERENCE
