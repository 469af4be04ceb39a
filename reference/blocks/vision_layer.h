// SPDX-License-Identifier: Apache-2.0
// One layer of the vision encoder: attention and feed-forward, each between two norms.
//
//   h = r + rms_norm( attention( rms_norm(r) ) )
//   h = h + rms_norm( mlp( rms_norm(h) ) )
//
// A decoder layer without layer scalar, per-layer input and experts.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/vision/_modules.py, Block.
// Spec: multimodal 3, RV-6, RV-14, RV-16.
#pragma once

#include "reference/blocks/vision_attention.h"
#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/weights/vision_weights.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> vision_layer(const VisionLayerWeights& w, const VisionConfig& config,
                          Tensor<T, D> residual, const VisionCall& call, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
