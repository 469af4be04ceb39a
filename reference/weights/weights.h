// SPDX-License-Identifier: Apache-2.0
// Every weight of every block, under the checkpoint's own names, with its shape.
//
// One layer is widened when it is entered and dropped when it is left, so these structs live for
// one layer at a time. A linear weight is [out, in].  Spec: text 5.1. `gelu` is no weight: it says
// how a program that is emulated computes the activation between them (ops/gelu.h).
#pragma once

#include <functional>
#include <optional>

#include "reference/core/tensor.h"
#include "reference/family/config/rounding.h"
#include "reference/weights/linear_weights.h"

namespace assay::ASSAY_REFERENCE {

struct SelfAttentionWeights {
  LinearWeights q_proj;                 // [N*H, D]
  Tensor<H> q_norm;                     // [H]
  LinearWeights o_proj;                 // [D, N*H]
  std::optional<LinearWeights> k_proj;  // [K*H, D], absent where keys are another layer's
  std::optional<Tensor<H>> k_norm;      // [H]
  std::optional<LinearWeights> v_proj;  // [K*H, D], absent also where the value is the raw key
};

struct MlpWeights {
  LinearWeights gate_proj;  // [F, D]
  LinearWeights up_proj;    // [F, D]
  LinearWeights down_proj;  // [D, F]
  GeluForm gelu = GeluForm::kExact;
};

// A weight of one expert, widened each time it is asked for.
using ExpertWeight = std::function<LinearWeights(std::size_t expert)>;

struct MoeWeights {
  Tensor<O, I> router_proj;                // [E, D]
  Tensor<D> router_scale;                  // [D]
  Tensor<E> per_expert_scale;              // [E]
  Tensor<D> post_feedforward_layernorm_1;  // [D] after the dense branch
  Tensor<D> pre_feedforward_layernorm_2;   // [D] before the experts
  Tensor<D> post_feedforward_layernorm_2;  // [D] after the experts
  ExpertWeight gate_up_proj;               // [2f, D]: rows 0 ... f-1 gate, f ... 2f-1 up
  ExpertWeight down_proj;                  // [D, f]
  GeluForm gelu = GeluForm::kExact;
};

struct PerLayerInputWeights {
  LinearWeights per_layer_input_gate;   // [P, D]
  LinearWeights per_layer_projection;   // [D, P]
  Tensor<D> post_per_layer_input_norm;  // [D]
  GeluForm gelu = GeluForm::kExact;
};

struct DecoderLayerWeights {
  Tensor<D> input_layernorm;
  SelfAttentionWeights self_attn;
  Tensor<D> post_attention_layernorm;
  Tensor<D> pre_feedforward_layernorm;
  MlpWeights mlp;
  std::optional<MoeWeights> moe;
  Tensor<D> post_feedforward_layernorm;
  std::optional<PerLayerInputWeights> per_layer_input;
  Real layer_scalar = 1;
};

}  // namespace assay::ASSAY_REFERENCE
