// SPDX-License-Identifier: Apache-2.0
// Every weight of the vision encoder and of the 12B's vision embedder, packed.
//
// Names are the checkpoint's. Tables of positions stay in the file: an image needs one row for each
// of its columns and one for each of its rows of patches.  Spec: multimodal 8.1.
#pragma once

#include <vector>

#include "optimized/engine/weight_packer.h"

namespace assay::cpu {

struct VisionLayerWeights {
  Vector input_layernorm, post_attention_layernorm;
  Vector pre_feedforward_layernorm, post_feedforward_layernorm;
  ClippedWeight q_proj, k_proj, v_proj, o_proj;
  Vector q_norm, k_norm;
  ClippedWeight gate_proj, up_proj, down_proj;
};

// Of E2B, E4B, 26B-A4B and 31B.
struct VisionWeights {
  VisionWeights(const Checkpoint& checkpoint, const Threads& threads);
  VisionWeights(const VisionWeights&) = delete;
  VisionWeights& operator=(const VisionWeights&) = delete;

  WeightView input_proj;  // [D, 3 P P], never clipped
  std::vector<VisionLayerWeights> layers;
  Vector std_bias, std_scale;       // of 26B-A4B and 31B
  WeightView embedding_projection;  // [Dtext, D]
  Pages memory;
};

// Of the 12B.
struct UnifiedVisionWeights {
  UnifiedVisionWeights(const Checkpoint& checkpoint, const Threads& threads);
  UnifiedVisionWeights(const UnifiedVisionWeights&) = delete;
  UnifiedVisionWeights& operator=(const UnifiedVisionWeights&) = delete;

  Vector patch_ln1_weight, patch_ln1_bias;  // [3 * 48 * 48]
  WeightView patch_dense;                   // [D, 3 * 48 * 48]
  Vector patch_dense_bias;                  // [D]
  Vector patch_ln2_weight, patch_ln2_bias;
  Vector pos_norm_weight, pos_norm_bias;
  WeightView embedding_projection;  // [Dtext, D]
  Pages memory;
};

// How a table of positions lies in the file.
enum class PositionTable {
  kAxisFirst,  // [axis, row, D]: encoders
  kRowFirst    // [row, axis, D]: the 12B
};

// The rows of the table that a grid of columns x rows patches needs: out = table_x[x] + table_y[y].
class Positions {
 public:
  Positions(const Checkpoint& checkpoint, PositionTable kind, std::size_t columns,
            std::size_t rows);

  std::size_t width() const { return width_; }
  void embed(std::int32_t x, std::int32_t y, float* out) const;

 private:
  std::size_t width_ = 0;
  Vector x_, y_;  // [columns, D], [rows, D]
};

}  // namespace assay::cpu
