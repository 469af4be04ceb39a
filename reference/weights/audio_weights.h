// SPDX-License-Identifier: Apache-2.0
// Every weight of the audio encoder, under the checkpoint's own names, with its shape.
//
// One layer is widened when it is entered and dropped when it is left. A linear weight is
// [out, in], a convolution's [out, in, time, frequency].  Spec: multimodal 8.1.
#pragma once

#include <array>

#include "reference/core/tensor.h"
#include "reference/weights/clipped_linear_weights.h"

namespace assay::ASSAY_REFERENCE {

struct AudioConvWeights {
  Tensor<O, I, J, J> conv;  // [C, C of the stage before, 3, 3]; the first stage has one input
  Tensor<D> norm;           // [C]
};

struct AudioSubsampleWeights {
  std::array<AudioConvWeights, 2> layers;
  Tensor<O, I> input_proj_linear;  // [D, F * C]: frequency f, channel c at f * C + c
};

struct AudioFeedForwardWeights {
  Tensor<D> pre_layer_norm;
  ClippedLinear ffw_layer_1;  // [4D, D]
  ClippedLinear ffw_layer_2;  // [D, 4D]
  Tensor<D> post_layer_norm;
};

struct AudioAttentionWeights {
  ClippedLinear q_proj;           // [N*H, D]
  ClippedLinear k_proj;           // [N*H, D]
  ClippedLinear v_proj;           // [N*H, D]
  Tensor<H> per_dim_scale;        // [H], shared by the heads, before softplus
  LinearWeights relative_k_proj;  // [N*H, D], without bounds
  ClippedLinear post;             // [D, N*H]
};

struct AudioLightConvWeights {
  Tensor<D> pre_layer_norm;
  ClippedLinear linear_start;     // [2D, D]: rows 0 ... D-1 value, D ... 2D-1 gate
  Tensor<D, J> depthwise_conv1d;  // [D, 5], stored [D, 1, 5]
  Tensor<D> conv_norm;
  ClippedLinear linear_end;  // [D, D]
};

struct ConformerLayerWeights {
  AudioFeedForwardWeights feed_forward1;
  Tensor<D> norm_pre_attn;
  AudioAttentionWeights self_attn;
  Tensor<D> norm_post_attn;
  AudioLightConvWeights lconv1d;
  AudioFeedForwardWeights feed_forward2;
  Tensor<D> norm_out;
};

struct AudioOutputWeights {
  Tensor<O, I> output_proj;    // [output_proj_dims, D]
  Tensor<D> output_proj_bias;  // [output_proj_dims]
};

}  // namespace assay::ASSAY_REFERENCE
