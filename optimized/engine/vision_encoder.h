// SPDX-License-Identifier: Apache-2.0
// The vision encoder of E2B, E4B, 26B-A4B and 31B: patches in, soft-token embeddings out.
//
//   h0   = (2 patch - 1) W_in^T + table_x[x] + table_y[y]
//   h    = layer_{L-1}( ... layer_0(h0) )            every patch sees every patch, 2-D RoPE
//   pool = mean over k x k patches, times sqrt(D); 26B and 31B: (pool - std_bias) * std_scale
//   soft = rms_norm(pool) W^T
//
// reference/model/vision_encoder.h has the formulas of a layer. Scores and probabilities are never
// whole and cannot be shown.  Spec: multimodal 3, RV-1 to RV-21.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "optimized/engine/encoder_ops.h"
#include "optimized/engine/taps.h"
#include "optimized/engine/vision_weights.h"
#include "optimized/kernels/attention.h"
#include "reference/family/preprocess/patch_grid.h"

namespace assay::cpu {

// One image without padding: patches [T, 3 P P] in [0, 1], positions [T, 2] (x, y), and the grid
// that they make.
struct ImagePatches {
  Rows patches;
  std::span<const std::int32_t> positions;
  PatchGrid grid;
};

class VisionEncoder {
 public:
  // Packs the weights. Keeps references to both; the checkpoint must have a vision encoder.
  VisionEncoder(const Checkpoint& checkpoint, const Threads& threads);

  // The soft-token embeddings [n, Dtext], in memory that holds until the next call. Throws Error
  // when the patches do not fill the grid or pools do not tile it. Taps pixels_pm1 … embed.out
  // below `tap` ("vision.").
  Rows encode(const ImagePatches& image, const TapScope& tap);

  double operations() const { return ops_.operations() + attention_operations_; }

 private:
  // What the layers of one call share: cosines and sines [T, 2, H/4], of x and of y, and one cache
  // for the keys and values of each head.
  struct Call {
    std::size_t pairs = 0;
    std::vector<float> cos, sin;
    std::vector<HeadCache> heads;
    std::vector<VisibleKeys> visible;
  };
  Rows embed_patches(const ImagePatches& image, const TapScope& tap);
  Call begin_call(const ImagePatches& image, const TapScope& tap);
  void rotate(const Rows& x, const Call& call) const;
  void store(const Rows& k, const Rows& v, const Call& call) const;
  Rows attend(const VisionLayerWeights& w, const Rows& x, const Call& call, const TapScope& tap);
  Rows mlp(const VisionLayerWeights& w, const Rows& x, const TapScope& tap);
  void layer(const VisionLayerWeights& w, const Rows& h, const Call& call, const TapScope& tap);
  Rows pool(const Rows& h, const ImagePatches& image, const TapScope& tap);

  const Checkpoint& checkpoint_;
  const VisionConfig& config_;
  VisionWeights weights_;
  EncoderOps ops_;
  double attention_operations_ = 0;
  PageArray<float> caches_;
  RowBuffer pixels_, h_, norm_, q_, k_, v_, mix_, out_, gate_, up_, pool_;
};

}  // namespace assay::cpu
