// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/unified_embedders.h"

#include <algorithm>

#include "optimized/engine/each_row.h"
#include "optimized/kernels/encoder_rows.h"
#include "optimized/kernels/row_ops.h"
#include "reference/family/base/error.h"

namespace assay::cpu {

UnifiedVisionEmbedder::UnifiedVisionEmbedder(const Checkpoint& checkpoint, const Threads& threads)
    : checkpoint_(checkpoint),
      config_(*checkpoint.config().unified_vision),
      weights_(checkpoint, threads),
      ops_(threads) {}

Rows UnifiedVisionEmbedder::encode(const ImagePatches& image, const TapScope& tap) {
  const Threads& threads = ops_.threads();
  const TapScope at = tap.under("unified.vision.");
  const auto norm = [&](const Rows& x, const Vector& weight, const Vector& bias, const Rows& y) {
    each_row(threads, x.rows, [&](std::size_t t) {
      layer_norm(x.row(t), weight.data(), bias.data(), UnifiedVisionConfig::kLayerNormEps,
                 x.columns, y.row(t));
    });
  };
  at("patches", image.patches);
  const Rows pixels = pixels_.shape(image.patches.rows, image.patches.columns);
  norm(image.patches, weights_.patch_ln1_weight, weights_.patch_ln1_bias, pixels);
  at("ln1", pixels);
  const Rows h = h_.shape(pixels.rows, weights_.patch_dense.rows);
  ops_.linear(pixels, weights_.patch_dense, h);
  each_row(threads, h.rows,
           [&](std::size_t t) { add_to(h.row(t), weights_.patch_dense_bias.data(), h.columns); });
  at("dense", h);
  norm(h, weights_.patch_ln2_weight, weights_.patch_ln2_bias, h);
  at("ln2", h);
  const Positions positions(checkpoint_, PositionTable::kRowFirst, image.grid.columns,
                            image.grid.rows);
  Vector place(h.columns);
  for (std::size_t t = 0; t < h.rows; ++t) {
    positions.embed(image.positions[2 * t], image.positions[2 * t + 1], place.data());
    add_to(h.row(t), place.data(), h.columns);
  }
  at("pos_add", h);
  norm(h, weights_.pos_norm_weight, weights_.pos_norm_bias, h);
  at("ln3", h);
  return ops_.embed(h, weights_.embedding_projection, config_.rms_norm_eps,
                    EmbedOrder::kNormThenProject, tap.under("vision."));
}

UnifiedAudioEmbedder::UnifiedAudioEmbedder(const Checkpoint& checkpoint, const Threads& threads)
    : config_(*checkpoint.config().unified_audio), ops_(threads) {
  WeightPacker packer(checkpoint, threads);
  packer.matrix("model.embed_audio.embedding_projection.weight", embedding_projection_);
  memory_ = packer.pack();
}

Rows UnifiedAudioEmbedder::encode(const Rows& rows, EmbedOrder order, const TapScope& tap) {
  if (rows.rows == 0 || rows.columns != config_.audio_embed_dim) {
    throw Error("audio: rows: got shape [" + std::to_string(rows.rows) + ", " +
                std::to_string(rows.columns) + "], expected [1 or more, " +
                std::to_string(config_.audio_embed_dim) + "]");
  }
  tap("unified.audio.frames", rows);
  return ops_.embed(rows, embedding_projection_, config_.rms_norm_eps, order, tap.under("audio."));
}

}  // namespace assay::cpu
