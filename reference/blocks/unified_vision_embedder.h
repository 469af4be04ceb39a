// SPDX-License-Identifier: Apache-2.0
// The 12B's way from pixels to soft tokens, without an encoder: one patch, one token.
//
//   h = LN2( W LN1(patch) + bias ) + table_x[x] + table_y[y]
//   y = multimodal_embedder( LN3(h) )
//
// Patches are 48 pixels wide and stay in [0, 1]. The three layer norms have weight, bias and an eps
// of their own (DIV-M20); the config's eps is the RMS norm's. Patches do not see each other.
// Source: transformers 5.22.2 gemma4_unified, Gemma4UnifiedVisionEmbedder.
// Spec: multimodal 3.2, RU-1 to RU-5.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/weights/vision_weights.h"

namespace assay::ASSAY_REFERENCE {

// patches [S, 3 * 48 * 48] in [0, 1]; positions [S, 2] (x, y), padding slots (-1, -1); projection
// [Dtext, D]. Returns one row per patch, padding left out. Taps unified.vision.* and
// vision.embed.* below `tap`.
Tensor<R, D> unified_vision_embedder(const UnifiedVisionWeights& w, const Tensor<O, I>& projection,
                                     const UnifiedVisionConfig& config, const Tensor<R, I>& patches,
                                     const IntTensor<R, A>& positions, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
