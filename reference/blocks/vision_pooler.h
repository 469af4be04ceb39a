// SPDX-License-Identifier: Apache-2.0
// Patches to soft tokens: means over squares of the image.
//
//   pool[c]   = (1/k^2) sum of the k^2 patches of cell c,   c = floor(x/k) + (columns/k) floor(y/k)
//   scaled    = pool sqrt(D)
//   y         = (scaled - std_bias) .* std_scale            26B and 31B only
//
// There is no norm before it. In E2B and E4B the projector's norm undoes both factors, 1/k^2 and
// sqrt(D); in 26B and 31B std_bias stands between.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/vision/_layers.py, VisionExit.
// Spec: multimodal 3, RV-17 to RV-20.
#pragma once

#include <optional>

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/weights/vision_weights.h"

namespace assay::ASSAY_REFERENCE {

// h [T, D] of a full grid of patches with `columns` columns, in any order; positions [T, 2].
Tensor<R, D> vision_pooler(const Tensor<T, D>& h, const IntTensor<T, A>& positions,
                           std::size_t columns, std::size_t kernel,
                           const std::optional<StandardizeWeights>& standardize,
                           const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
