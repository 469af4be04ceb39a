// SPDX-License-Identifier: Apache-2.0
// Every weight of a text model or drafter, packed for the products, in one piece of memory.
//
// Names are the checkpoint's. Matrices keep the type that they are stored in (packed_weight.h),
// norms and scales are f32. The table of per-layer embeddings stays in the file: a token needs one
// row of it. A table of tokens of its own, beside a head, stays there, too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "optimized/device/pages.h"
#include "optimized/device/threads.h"
#include "optimized/packing/load_weight.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::cpu {

using Vector = std::vector<float>;

struct AttentionWeights {
  WeightView q_proj, k_proj, v_proj, o_proj;  // k and v: empty where the layer has none
  Vector q_norm, k_norm;
};

struct FeedForwardWeights {
  WeightView gate_proj, up_proj, down_proj;
};

struct MoeWeights {
  WeightView router_proj;
  Vector router_scale, per_expert_scale;
  Vector post_feedforward_layernorm_1, pre_feedforward_layernorm_2, post_feedforward_layernorm_2;
  std::vector<WeightView> gate_up_proj, down_proj;  // [experts]
};

struct PerLayerInputWeights {
  WeightView per_layer_input_gate, per_layer_projection;
  Vector post_per_layer_input_norm;
};

struct LayerWeights {
  Vector input_layernorm, post_attention_layernorm;
  Vector pre_feedforward_layernorm, post_feedforward_layernorm;
  AttentionWeights self_attn;
  FeedForwardWeights mlp;
  MoeWeights moe;                  // of 26B-A4B
  PerLayerInputWeights per_layer;  // of E2B, E4B
  float layer_scalar = 1;
};

struct DrafterWeights {
  WeightView pre_projection, post_projection;
  WeightView centroids;                      // of an ordered head
  std::vector<std::int64_t> token_ordering;  // its rows, as tokens; empty: by token
};

class Model {
 public:
  // Packs everything. Keeps a reference to the checkpoint. Throws Error for a form that the engine
  // does not compute (activations quantised by stored scales), naming it.
  Model(const Checkpoint& checkpoint, const Threads& threads);

  const Checkpoint& checkpoint() const { return checkpoint_; }
  const TextConfig& config() const { return checkpoint_.config().text; }

  std::vector<LayerWeights> layers;
  WeightView head;                        // what makes the logits
  bool tied = true;                       // the head is the table of tokens
  WeightView per_layer_model_projection;  // of E2B, E4B
  Vector per_layer_projection_norm;
  Vector norm;
  DrafterWeights drafter;  // of a drafter

  // Row `id` of the table of tokens, not scaled.
  void token_row(std::int32_t id, float* out) const;
  // Row `id` of the table of per-layer embeddings, [layers * width].
  void per_layer_row(std::int32_t id, float* out) const;

  const std::byte* weight_memory() const { return memory_.data(); }
  std::size_t weight_bytes() const { return memory_.size(); }
  // The type of most of its bytes, in lower case.
  std::string weight_type() const;
  std::size_t huge_bytes() const { return memory_.huge_bytes(); }

 private:
  struct Loader;
  const Checkpoint& checkpoint_;
  Pages memory_;
  std::map<std::string, std::size_t> bytes_of_type_;
};

}  // namespace assay::cpu
