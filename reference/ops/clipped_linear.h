// SPDX-License-Identifier: Apache-2.0
// A linear map between two clamps, as in the encoders of E2B and E4B.
//
//   y = clip( clip(x, input_min, input_max) W^T, output_min, output_max )     no bias
//   clip(x, a, b) = min(max(x, a), b)
//
// The bounds are part of the model: real activations reach them. They are not symmetric, so all
// four are needed.  Spec: multimodal 3.1, RV-5, DIV-M22.
#pragma once

#include "reference/core/tensor.h"
#include "reference/weights/clipped_linear_weights.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, O> clipped_linear(const Tensor<R, I>& x, const ClippedLinear& w);

}  // namespace assay::ASSAY_REFERENCE
