// SPDX-License-Identifier: Apache-2.0
// Every weight of a text model or drafter on a device, in one piece of memory.
//
// Names are the checkpoint's. The table of per-layer embeddings stays in the file: a token needs
// one row of it.
#pragma once

#include <cstdint>
#include <vector>

#include "optimized/engine/cuda/weight_loader.h"

namespace assay::cuda {

// Pointers are to rows on the device.
struct AttentionWeights {
  DeviceWeight q_proj, k_proj, v_proj, o_proj;  // k and v: empty where the layer has none
  const float* q_norm = nullptr;
  const float* k_norm = nullptr;
};

struct FeedForwardWeights {
  DeviceWeight gate_proj, up_proj, down_proj;
};

struct MoeWeights {
  DeviceWeight router_proj;
  const float* router_scale = nullptr;
  const float* per_expert_scale = nullptr;
  const float* post_feedforward_layernorm_1 = nullptr;
  const float* pre_feedforward_layernorm_2 = nullptr;
  const float* post_feedforward_layernorm_2 = nullptr;
  DeviceWeight gate_up_proj, down_proj;  // a slice for each expert
};

struct PerLayerInputWeights {
  DeviceWeight per_layer_input_gate, per_layer_projection;
  const float* post_per_layer_input_norm = nullptr;
};

struct LayerWeights {
  const float* input_layernorm = nullptr;
  const float* post_attention_layernorm = nullptr;
  const float* pre_feedforward_layernorm = nullptr;
  const float* post_feedforward_layernorm = nullptr;
  AttentionWeights self_attn;
  FeedForwardWeights mlp;
  MoeWeights moe;                  // of 26B-A4B
  PerLayerInputWeights per_layer;  // of E2B, E4B
  float layer_scalar = 1;
};

struct DrafterWeights {
  DeviceWeight pre_projection, post_projection;
  DeviceWeight centroids;                    // of an ordered head
  std::vector<std::int64_t> token_ordering;  // its rows, as tokens; empty: by token
};

class Model {
 public:
  // Loads everything. Keeps a reference to the checkpoint. Throws Error for a form that the engine
  // does not compute, naming it.
  Model(const Checkpoint& checkpoint, Stream& stream);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Checkpoint& checkpoint() const { return checkpoint_; }
  const TextConfig& config() const { return checkpoint_.config().text; }
  float eps() const { return static_cast<float>(config().rms_norm_eps); }

  std::vector<LayerWeights> layers;
  DeviceWeight head;                        // what makes the logits
  DeviceWeight table;                       // of tokens; the head where both are one
  DeviceWeight per_layer_model_projection;  // of E2B, E4B
  const float* per_layer_projection_norm = nullptr;
  const float* norm = nullptr;
  DrafterWeights drafter;  // of a drafter

  // Row `id` of the table of per-layer embeddings, [layers * width].
  void per_layer_row(std::int32_t id, float* out) const;

  std::size_t weight_bytes() const { return memory_.size(); }

 private:
  struct Names;
  const Checkpoint& checkpoint_;
  Memory memory_;
};

}  // namespace assay::cuda
