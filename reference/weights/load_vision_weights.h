// SPDX-License-Identifier: Apache-2.0
// Checkpoint names of the vision encoder and embedder to the fields of vision_weights.h.
//
// Checkpoint::open has checked that everything named here exists with the right shape.
// Spec: multimodal 8.1.
#pragma once

#include "reference/weights/load_weights.h"
#include "reference/weights/vision_weights.h"

namespace assay::ASSAY_REFERENCE {

PatchEmbedderWeights load_patch_embedder(const WeightReader& reader);

VisionLayerWeights load_vision_layer(const WeightReader& reader, const VisionConfig& config,
                                     std::size_t layer);

StandardizeWeights load_standardize(const WeightReader& reader);

UnifiedVisionWeights load_unified_vision(const WeightReader& reader);

// [Dtext, D], of encoder models and of the 12B.
Tensor<O, I> load_vision_projection(const WeightReader& reader);

}  // namespace assay::ASSAY_REFERENCE
