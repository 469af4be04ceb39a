// SPDX-License-Identifier: Apache-2.0
// Every weight of the vision encoder and of the 12B's vision embedder, with its shape.
//
// Names are the checkpoint's. A layer is widened when it is entered and dropped when it is left.
// Spec: multimodal 8.1.
#pragma once

#include "reference/core/tensor.h"
#include "reference/weights/clipped_linear_weights.h"

namespace assay::ASSAY_REFERENCE {

// One row for each column of patches and one for each row of patches. Files keep both in one
// tensor, and not in the same order: [axis, row, D] in encoders, [row, axis, D] in the 12B.
struct PositionTable {
  Tensor<R, D> x;
  Tensor<R, D> y;
};

struct PatchEmbedderWeights {
  Tensor<O, I> input_proj;                 // [D, 3 P P], never clipped
  PositionTable position_embedding_table;  // [10240, D] each
};

struct VisionAttentionWeights {
  ClippedLinear q_proj;  // [N*H, D]
  ClippedLinear k_proj;  // [N*H, D]
  ClippedLinear v_proj;  // [N*H, D]
  ClippedLinear o_proj;  // [D, N*H]
  Tensor<H> q_norm;      // [H], one for all heads
  Tensor<H> k_norm;      // [H]
};

struct VisionMlpWeights {
  ClippedLinear gate_proj;  // [F, D]
  ClippedLinear up_proj;    // [F, D]
  ClippedLinear down_proj;  // [D, F]
};

struct VisionLayerWeights {
  Tensor<D> input_layernorm;
  VisionAttentionWeights self_attn;
  Tensor<D> post_attention_layernorm;
  Tensor<D> pre_feedforward_layernorm;
  VisionMlpWeights mlp;
  Tensor<D> post_feedforward_layernorm;
};

// 26B and 31B.
struct StandardizeWeights {
  Tensor<D> std_bias;
  Tensor<D> std_scale;
};

struct LayerNormWeights {
  Tensor<D> weight;
  Tensor<D> bias;
};

// model.vision_embedder of the 12B.
struct UnifiedVisionWeights {
  LayerNormWeights patch_ln1;   // [3 * 48 * 48]
  Tensor<O, I> patch_dense;     // [D, 3 * 48 * 48]
  Tensor<O> patch_dense_bias;   // [D]
  LayerNormWeights patch_ln2;   // [D]
  PositionTable pos_embedding;  // [1120, D] each
  LayerNormWeights pos_norm;    // [D]
};

}  // namespace assay::ASSAY_REFERENCE
