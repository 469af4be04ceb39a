// SPDX-License-Identifier: Apache-2.0
// A 3 x 3 convolution over time and frequency that halves both.
//
//   y[o,t,f] = sum_i sum_a sum_b  weight[o,i,a,b] * x[i, 2t + a - 1, 2f + b - 1]
//
// One row and one column of zeros lie on every side, so T becomes ceil(T/2) and F ceil(F/2). As
// everywhere in this field the kernel is not flipped: it is a cross-correlation. No bias.
// Spec: multimodal 5.4, RC-1.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

// The sum runs over i, then a (time), then b (frequency), each ascending.
Tensor<O, T, F> conv2d(const Tensor<I, T, F>& x, const Tensor<O, I, J, J>& weight);

}  // namespace assay::ASSAY_REFERENCE
