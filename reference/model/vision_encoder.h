// SPDX-License-Identifier: Apache-2.0
// The vision encoder of E2B, E4B, 26B-A4B and 31B: patches in, pooled rows out.
//
//   h0   = (2 patch - 1) W_in^T + table[0][x] + table[1][y]
//   h    = layer_{L-1}( ... layer_0(h0) )            attention without a mask, 2-D RoPE
//   pool = mean over k x k patches, times sqrt(D); 26B and 31B: (pool - std_bias) * std_scale
//
// There is no norm after the last layer. Images never see each other: one call, one image.
// Spec: multimodal 3, RV-1 to RV-20.
#pragma once

#include "reference/blocks/patch_grid.h"
#include "reference/blocks/vision_attention.h"
#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/profile.h"
#include "reference/weights/load_weights.h"

namespace assay::ASSAY_REFERENCE {

class VisionEncoder {
 public:
  // The reader and the config must outlive the encoder; its checkpoint must have a vision encoder.
  VisionEncoder(const WeightReader& reader, const VisionConfig& config, const Profile& profile);

  // patches [S, 3 P P] in [0, 1]; positions [S, 2] (x, y), padding slots (-1, -1), anywhere.
  // Returns vision.tower_out [n, D]. Taps pixels_pm1 … tower_out below `tap` ("vision."); they
  // leave out padding slots.
  Tensor<R, D> encode(const Tensor<R, I>& patches, const IntTensor<R, A>& positions,
                      const TapScope& tap) const;

 private:
  Tensor<T, D> run_layers(const Tensor<R, I>& patches, const IntTensor<R, A>& positions,
                          VisionCall call, const TapScope& tap) const;

  const WeightReader& reader_;
  const VisionConfig& config_;
  Profile profile_;
};

}  // namespace assay::ASSAY_REFERENCE
