// SPDX-License-Identifier: Apache-2.0
// Sinusoids for the distances at which the audio encoder's attention looks back.
//
//   y[r, i]        = sin(delta * tau_i)          delta = rows - 1 - r, descending to 0
//   y[r, C + i]    = cos(delta * tau_i)          tau_i = 10000^(-i / (C - 1)),  C = width / 2
//
// Sines first, then cosines, not interleaved; the last time scale is 1/10000 exactly, since the
// exponent is divided by C - 1. Angles are fp64 in both precisions. Dai et al. 2019
// (Transformer-XL), appendix B.  Spec: multimodal 5.5, RC-5.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, D> relative_positions(std::size_t rows, std::size_t width);

}  // namespace assay::ASSAY_REFERENCE
