// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/model.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/token_ordering.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kAlign = 64;

void check_activations(const Checkpoint& checkpoint, const std::string& module) {
  for (const char* side : {".input_activation_scale", ".output_activation_scale"}) {
    if (checkpoint.has(module + side)) {
      throw Error(module + side +
                  ": got a model whose activations are quantised by stored scales, expected one "
                  "whose activations are not (--impl reference computes it)");
    }
  }
}

}  // namespace

// Names every weight twice: first to learn the sizes, then to fill the memory.
struct Model::Loader {
  Model& model;
  const Threads& threads;
  std::vector<std::pair<WeightRows, WeightView*>> planned = {};

  Vector vector(const std::string& name) const {
    Vector values(model.checkpoint_.shape(name)[0]);
    model.checkpoint_.read(name, 0, values.size(), values.data());
    return values;
  }

  float scalar(const std::string& name) const {
    float value = 0;
    model.checkpoint_.read(name, 0, 1, &value);
    return value;
  }

  // The view is filled in when everything is planned: it must not move.
  void matrix(const std::string& name, WeightView& to) {
    planned.push_back({{name, 0, model.checkpoint_.shape(name)[0]}, &to});
  }

  void linear(const std::string& module, WeightView& to) {
    check_activations(model.checkpoint_, module);
    matrix(module + ".weight", to);
  }

  void slices(const std::string& name, std::vector<WeightView>& to) {
    const auto& shape = model.checkpoint_.shape(name);  // [slices, rows, columns]
    to.resize(shape[0]);
    for (std::size_t e = 0; e < shape[0]; ++e) {
      planned.push_back({{name, e * shape[1], shape[1]}, &to[e]});
    }
  }

  void attention(const std::string& at, bool own_keys, bool own_values, AttentionWeights& w) {
    linear(at + "q_proj", w.q_proj);
    w.q_norm = vector(at + "q_norm.weight");
    if (own_keys) {
      linear(at + "k_proj", w.k_proj);
      w.k_norm = vector(at + "k_norm.weight");
    }
    if (own_keys && own_values) {
      linear(at + "v_proj", w.v_proj);
    }
    linear(at + "o_proj", w.o_proj);
  }

  void moe(const std::string& at, MoeWeights& w) {
    matrix(at + "router.proj.weight", w.router_proj);
    w.router_scale = vector(at + "router.scale");
    w.per_expert_scale = vector(at + "router.per_expert_scale");
    w.post_feedforward_layernorm_1 = vector(at + "post_feedforward_layernorm_1.weight");
    w.pre_feedforward_layernorm_2 = vector(at + "pre_feedforward_layernorm_2.weight");
    w.post_feedforward_layernorm_2 = vector(at + "post_feedforward_layernorm_2.weight");
    slices(at + "experts.gate_up_proj", w.gate_up_proj);
    slices(at + "experts.down_proj", w.down_proj);
  }

  void layer(std::size_t i, LayerWeights& w) {
    const TextConfig& config = model.config();
    const std::string at = "layers." + std::to_string(i) + ".";
    w.input_layernorm = vector(at + "input_layernorm.weight");
    attention(at + "self_attn.", !config.shares_kv(i), !config.layers[i].k_eq_v, w.self_attn);
    w.post_attention_layernorm = vector(at + "post_attention_layernorm.weight");
    w.pre_feedforward_layernorm = vector(at + "pre_feedforward_layernorm.weight");
    linear(at + "mlp.gate_proj", w.mlp.gate_proj);
    linear(at + "mlp.up_proj", w.mlp.up_proj);
    linear(at + "mlp.down_proj", w.mlp.down_proj);
    w.post_feedforward_layernorm = vector(at + "post_feedforward_layernorm.weight");
    if (config.moe) {
      moe(at, w.moe);
    }
    if (config.hidden_size_per_layer_input > 0) {
      linear(at + "per_layer_input_gate", w.per_layer.per_layer_input_gate);
      linear(at + "per_layer_projection", w.per_layer.per_layer_projection);
      w.per_layer.post_per_layer_input_norm = vector(at + "post_per_layer_input_norm.weight");
    }
    w.layer_scalar = scalar(at + "layer_scalar");
  }

  void drafter(const DrafterConfig& config, DrafterWeights& w) {
    linear("pre_projection", w.pre_projection);
    linear("post_projection", w.post_projection);
    if (config.use_ordered_embeddings) {
      linear("masked_embedding.centroids", w.centroids);
      w.token_ordering = read_token_ordering(model.checkpoint_);
    }
  }

  void fill() {
    std::size_t bytes = 0;
    for (auto& [rows, view] : planned) {
      *view = plan_weight(model.checkpoint_, rows);
      model.bytes_of_type_[std::string(dtype_name(view->stored))] += view->bytes();
      bytes += round_up(view->bytes(), kAlign);
    }
    model.memory_ = Pages(bytes);
    std::size_t at = 0;
    for (auto& [rows, view] : planned) {
      const bool ordered = view == &model.head && !model.drafter.token_ordering.empty();
      pack_weight(model.checkpoint_, rows, model.memory_.data() + at, *view, threads,
                  ordered ? std::span<const std::int64_t>(model.drafter.token_ordering)
                          : std::span<const std::int64_t>());
      at += round_up(view->bytes(), kAlign);
      model.checkpoint_.release(rows.name);
    }
  }
};

Model::Model(const Checkpoint& checkpoint, const Threads& threads) : checkpoint_(checkpoint) {
  const TextConfig& text = config();
  Loader load{*this, threads};
  tied = !checkpoint.has("lm_head.weight");
  layers.resize(text.num_hidden_layers());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    load.layer(i, layers[i]);
  }
  if (text.hidden_size_per_layer_input > 0) {
    load.linear("per_layer_model_projection", per_layer_model_projection);
    per_layer_projection_norm = load.vector("per_layer_projection_norm.weight");
  }
  norm = load.vector("norm.weight");
  load.matrix(tied ? "embed_tokens.weight" : "lm_head.weight", head);
  if (checkpoint.config().drafter) {
    load.drafter(*checkpoint.config().drafter, drafter);
  }
  load.fill();
}

void Model::token_row(std::int32_t id, float* out) const {
  const auto row = static_cast<std::size_t>(id);
  if (tied) {
    unpack_row(head, row, out);
  } else {
    const std::size_t width = config().hidden_size;
    checkpoint_.read("embed_tokens.weight", row * width, width, out);
  }
}

void Model::per_layer_row(std::int32_t id, float* out) const {
  const std::size_t width = checkpoint_.shape("embed_tokens_per_layer.weight")[1];
  checkpoint_.read("embed_tokens_per_layer.weight", static_cast<std::size_t>(id) * width, width,
                   out);
}

std::string Model::weight_type() const {
  const auto most = std::ranges::max_element(
      bytes_of_type_, [](const auto& a, const auto& b) { return a.second < b.second; });
  std::string name = most->first;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

}  // namespace assay::cpu
