// SPDX-License-Identifier: Apache-2.0
// The 12B's ways from pixels and samples to soft-token embeddings, without an encoder.
//
//   h    = LN3( LN2( W LN1(patch) + bias ) + table_x[x] + table_y[y] )       one patch, one token
//   row  = samples 640 i ... 640 i + 639                                     one row, one token
//   soft = rms_norm(h or row) W^T
//
// reference/blocks/unified_vision_embedder.h and unified_audio_embedder.h say more.
// Spec: multimodal 3.2, 5.8, RU-1 to RU-7.
#pragma once

#include "optimized/engine/encoder_ops.h"
#include "optimized/engine/vision_encoder.h"
#include "reference/family/config/profile.h"

namespace assay::cpu {

class UnifiedVisionEmbedder {
 public:
  // Packs the weights. Keeps references to both.
  UnifiedVisionEmbedder(const Checkpoint& checkpoint, const Threads& threads);

  // [n, Dtext] in memory that holds until the next call. Taps unified.vision.* and vision.embed.*
  // below `tap`.
  Rows encode(const ImagePatches& image, const TapScope& tap);

 private:
  const Checkpoint& checkpoint_;
  const UnifiedVisionConfig& config_;
  UnifiedVisionWeights weights_;
  EncoderOps ops_;
  RowBuffer pixels_, h_;
};

class UnifiedAudioEmbedder {
 public:
  UnifiedAudioEmbedder(const Checkpoint& checkpoint, const Threads& threads);

  // rows [n, 640], which are changed. Taps unified.audio.frames and audio.embed.* below `tap`.
  Rows encode(const Rows& rows, EmbedOrder order, const TapScope& tap);

 private:
  const UnifiedAudioConfig& config_;
  WeightView embedding_projection_;
  Pages memory_;
  EncoderOps ops_;
};

}  // namespace assay::cpu
