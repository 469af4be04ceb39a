// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/model.h"

#include <string>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/token_ordering.h"

namespace assay::cuda {
namespace {

constexpr std::size_t kMostHeadDim = 512;   // attention_cuda.h
constexpr std::size_t kMostExperts = 1024;  // router_cuda.h

void check_limits(const TextConfig& config) {
  for (const LayerConfig& layer : config.layers) {
    if (layer.head_dim > kMostHeadDim) {
      throw Error("head_dim: got " + std::to_string(layer.head_dim) + ", expected at most " +
                  std::to_string(kMostHeadDim) + " on a CUDA device");
    }
  }
  if (config.moe && config.moe->num_experts > kMostExperts) {
    throw Error("num_experts: got " + std::to_string(config.moe->num_experts) +
                ", expected at most " + std::to_string(kMostExperts) + " on a CUDA device");
  }
}

}  // namespace

// What is asked of the checkpoint, name by name.
struct Model::Names {
  const TextConfig& config;
  WeightLoader& load;

  void attention(const std::string& at, bool own_keys, bool own_values, AttentionWeights& w) {
    load.linear(at + "q_proj", w.q_proj);
    load.vector(at + "q_norm.weight", w.q_norm);
    if (own_keys) {
      load.linear(at + "k_proj", w.k_proj);
      load.vector(at + "k_norm.weight", w.k_norm);
    }
    if (own_keys && own_values) {
      load.linear(at + "v_proj", w.v_proj);
    }
    load.linear(at + "o_proj", w.o_proj);
  }

  void moe(const std::string& at, MoeWeights& w) {
    load.matrix(at + "router.proj.weight", w.router_proj);
    load.vector(at + "router.scale", w.router_scale);
    load.vector(at + "router.per_expert_scale", w.per_expert_scale);
    load.vector(at + "post_feedforward_layernorm_1.weight", w.post_feedforward_layernorm_1);
    load.vector(at + "pre_feedforward_layernorm_2.weight", w.pre_feedforward_layernorm_2);
    load.vector(at + "post_feedforward_layernorm_2.weight", w.post_feedforward_layernorm_2);
    load.matrix(at + "experts.gate_up_proj", w.gate_up_proj);
    load.matrix(at + "experts.down_proj", w.down_proj);
  }

  void layer(std::size_t i, LayerWeights& w) {
    const std::string at = "layers." + std::to_string(i) + ".";
    load.vector(at + "input_layernorm.weight", w.input_layernorm);
    attention(at + "self_attn.", !config.shares_kv(i), !config.layers[i].k_eq_v, w.self_attn);
    load.vector(at + "post_attention_layernorm.weight", w.post_attention_layernorm);
    load.vector(at + "pre_feedforward_layernorm.weight", w.pre_feedforward_layernorm);
    load.linear(at + "mlp.gate_proj", w.mlp.gate_proj);
    load.linear(at + "mlp.up_proj", w.mlp.up_proj);
    load.linear(at + "mlp.down_proj", w.mlp.down_proj);
    load.vector(at + "post_feedforward_layernorm.weight", w.post_feedforward_layernorm);
    if (config.moe) {
      moe(at, w.moe);
    }
    if (config.hidden_size_per_layer_input > 0) {
      load.linear(at + "per_layer_input_gate", w.per_layer.per_layer_input_gate);
      load.linear(at + "per_layer_projection", w.per_layer.per_layer_projection);
      load.vector(at + "post_per_layer_input_norm.weight", w.per_layer.post_per_layer_input_norm);
    }
    w.layer_scalar = load.scalar(at + "layer_scalar");
  }

  void drafter(const DrafterConfig& drafter, DrafterWeights& w) {
    load.linear("pre_projection", w.pre_projection);
    load.linear("post_projection", w.post_projection);
    if (drafter.use_ordered_embeddings) {
      load.linear("masked_embedding.centroids", w.centroids);
      w.token_ordering = read_token_ordering(load.checkpoint());
    }
  }
};

Model::Model(const Checkpoint& checkpoint, Stream& stream) : checkpoint_(checkpoint) {
  const TextConfig& text = config();
  check_limits(text);
  WeightLoader load(checkpoint, stream);
  Names names{text, load};
  layers.resize(text.num_hidden_layers());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    names.layer(i, layers[i]);
  }
  if (text.hidden_size_per_layer_input > 0) {
    load.linear("per_layer_model_projection", per_layer_model_projection);
    load.vector("per_layer_projection_norm.weight", per_layer_projection_norm);
  }
  load.vector("norm.weight", norm);
  if (checkpoint.config().drafter) {
    names.drafter(*checkpoint.config().drafter, drafter);
  }
  const bool tied = !checkpoint.has("lm_head.weight");
  load.matrix(tied ? "embed_tokens.weight" : "lm_head.weight", head, drafter.token_ordering);
  if (!tied) {
    load.matrix("embed_tokens.weight", table);
  }
  memory_ = load.load();
  if (tied) {
    table = head;
  }
}

void Model::per_layer_row(std::int32_t id, float* out) const {
  const std::size_t width = checkpoint_.shape("embed_tokens_per_layer.weight")[1];
  checkpoint_.read("embed_tokens_per_layer.weight", static_cast<std::size_t>(id) * width, width,
                   out);
}

}  // namespace assay::cuda
