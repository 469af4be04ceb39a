// SPDX-License-Identifier: Apache-2.0
// A causal convolution over time, each channel by itself.
//
//   y[t,d] = sum_j  weight[d,j] * x[t - (J-1) + j, d]        x = 0 before the first row
//
// The last point of the kernel meets the row itself, the first one the oldest. No bias.
// Spec: multimodal 5.6, RC-17.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> depthwise_conv1d(const Tensor<T, D>& x, const Tensor<D, J>& weight);

}  // namespace assay::ASSAY_REFERENCE
