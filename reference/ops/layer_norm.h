// SPDX-License-Identifier: Apache-2.0
// Layer normalisation over the last axis.
//
//   y[r,d] = weight[d] * (x[r,d] - m[r]) / sqrt( v[r] + eps ) + bias[d]
//   m[r]   = (1/D) sum_d x[r,d]              v[r] = (1/D) sum_d (x[r,d] - m[r])^2
//
// Ba et al. 2016, eq. 4. The variance is the biased one and is summed around the mean, in a second
// pass. eps differs: 1e-5 in the 12B's vision embedder (DIV-M20), 1e-6 in the audio
// encoder's subsampling, which has no bias.  Spec: multimodal 0.1.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, D> layer_norm(const Tensor<R, D>& x, const Tensor<D>& weight, const Tensor<D>& bias,
                        double eps);
Tensor<R, D> layer_norm(const Tensor<R, D>& x, const Tensor<D>& weight, double eps);

}  // namespace assay::ASSAY_REFERENCE
