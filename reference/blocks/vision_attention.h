// SPDX-License-Identifier: Apache-2.0
// Self-attention among the patches of one image: every patch sees every patch.
//
//   q = rope2( rms_norm_H( q_proj x ) )      k = rope2( rms_norm_H( k_proj x ) )
//   v = rms_norm_H_unscaled( v_proj x )      never rotated
//   y = o_proj concat_n( softmax_s( q k^T ) v )
//
// No scale (the normed queries and keys carry it), no cap, as many key heads as query heads. The
// four maps are clipped in E2B and E4B. One head at a time: the probabilities of all heads of a
// large image are held together only while somebody watches them.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/vision/_modules.py, Attention.
// Spec: multimodal 3, RV-7 to RV-13.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/family/config/profile.h"
#include "reference/ops/vision_rope.h"
#include "reference/weights/vision_weights.h"

namespace assay::ASSAY_REFERENCE {

// What the layers of one call share. Padding slots are left out of it (REF), or they stand after
// the patches and JAX's mask is used: 1 is added to the logits between two patches and nothing to
// the others, so that padding keeps much of its weight (DIV-M02).
struct VisionCall {
  VisionRopeTable rope;
  VisionPadMask pad_mask = VisionPadMask::kExclude;
  std::size_t real_patches = 0;  // rows before the padding slots
};

// x [T, D] is the normed residual; returns o_proj's output [T, D].
Tensor<T, D> vision_attention(const VisionAttentionWeights& w, const VisionConfig& config,
                              const Tensor<T, D>& x, const VisionCall& call, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
