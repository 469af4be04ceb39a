// SPDX-License-Identifier: Apache-2.0
// The weights of a linear map whose input and output are clamped: `linear.weight` and four scalars.
//
// E2B and E4B store bounds for every clipped map of their encoders; 26B and 31B store none, and
// infinite bounds clamp nothing.  Spec: multimodal 3.1.
#pragma once

#include <limits>

#include "reference/core/tensor.h"
#include "reference/weights/linear_weights.h"

namespace assay::ASSAY_REFERENCE {

struct ClippedLinear {
  Tensor<O, I> weight;
  Real input_min = -std::numeric_limits<Real>::infinity();
  Real input_max = std::numeric_limits<Real>::infinity();
  Real output_min = -std::numeric_limits<Real>::infinity();
  Real output_max = std::numeric_limits<Real>::infinity();
  ActivationScales activation{};  // between the clamps
};

}  // namespace assay::ASSAY_REFERENCE
