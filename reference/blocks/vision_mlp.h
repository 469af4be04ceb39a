// SPDX-License-Identifier: Apache-2.0
// The vision encoder's gated feed-forward network: mlp.h with clipped maps.
//
//   y = down_proj ( gelu( gate_proj x ) .* ( up_proj x ) )
//
// gelu is the tanh form (DIV-M24). The input clamp of down_proj acts on the product, so it is not
// seen in the tap `act`, which is the product.  Spec: RV-15.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/weights/vision_weights.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> vision_mlp(const VisionMlpWeights& w, const Tensor<T, D>& x, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
