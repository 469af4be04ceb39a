// SPDX-License-Identifier: Apache-2.0
// Every weight of the audio encoder of E2B and E4B, packed.
//
// Names are the checkpoint's. A convolution becomes a product: its kernel [out, in, 3, 3] lies as
// [out, 3, 3, in], as the rows of points that it meets.  Spec: multimodal 8.1.
#pragma once

#include <array>
#include <vector>

#include "optimized/engine/weight_packer.h"

namespace assay::cpu {

struct AudioConvWeights {
  WeightView conv;  // [C, 9 inputs]
  Vector norm;      // [C]
  std::size_t inputs = 0;
};

struct AudioFeedForwardWeights {
  Vector pre_layer_norm, post_layer_norm;
  ClippedWeight ffw_layer_1, ffw_layer_2;
};

struct AudioAttentionWeights {
  ClippedWeight q_proj, k_proj, v_proj, post;
  Vector query_scale;          // [H], softplus(per_dim_scale) H^(-1/2) / ln 2
  WeightView relative_k_proj;  // without bounds
};

struct AudioLightConvWeights {
  Vector pre_layer_norm, conv_norm;
  ClippedWeight linear_start, linear_end;
  Vector depthwise_conv1d;  // [5, D], stored [D, 1, 5]
};

struct ConformerWeights {
  AudioFeedForwardWeights feed_forward1, feed_forward2;
  Vector norm_pre_attn, norm_post_attn, norm_out;
  AudioAttentionWeights self_attn;
  AudioLightConvWeights lconv1d;
};

struct AudioWeights {
  AudioWeights(const Checkpoint& checkpoint, const Threads& threads);
  AudioWeights(const AudioWeights&) = delete;
  AudioWeights& operator=(const AudioWeights&) = delete;

  std::array<AudioConvWeights, 2> subsample;
  WeightView input_proj_linear;  // [D, F C]
  std::vector<ConformerWeights> layers;
  WeightView output_proj;  // [output_proj_dims, D]
  Vector output_proj_bias;
  WeightView embedding_projection;  // [Dtext, output_proj_dims]
  Pages memory;
};

}  // namespace assay::cpu
