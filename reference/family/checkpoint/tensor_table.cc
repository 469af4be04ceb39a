// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/tensor_table.h"

#include <initializer_list>
#include <utility>

#include "reference/family/checkpoint/encoder_tensors.h"

namespace assay {
namespace {

constexpr std::string_view kDrafterRoots[] = {"pre_projection.", "post_projection.",
                                              "masked_embedding."};

class Table {
 public:
  explicit Table(std::string prefix) : prefix_(std::move(prefix)) {}

  void add(std::string_view name, std::initializer_list<std::size_t> shape,
           TensorUse use = TensorUse::kWeight) {
    rows_.push_back({prefix_ + std::string(name), shape, use});
  }

  void append_to(std::vector<ExpectedTensor>& rows) {
    rows.insert(rows.end(), rows_.begin(), rows_.end());
  }

 private:
  std::string prefix_;
  std::vector<ExpectedTensor> rows_;
};

void add_attention(const TextConfig& text, std::size_t i, bool drafter, Table& table) {
  const LayerConfig& layer = text.layers[i];
  const std::size_t queries = text.num_attention_heads * layer.head_dim;
  const std::size_t keys = layer.num_key_value_heads * layer.head_dim;
  table.add("self_attn.q_proj.weight", {queries, text.hidden_size});
  table.add("self_attn.q_norm.weight", {layer.head_dim});
  table.add("self_attn.o_proj.weight", {text.hidden_size, queries});
  if (drafter) {
    return;
  }
  const auto use = text.shares_kv(i) ? TensorUse::kIgnored : TensorUse::kWeight;
  table.add("self_attn.k_proj.weight", {keys, text.hidden_size}, use);
  table.add("self_attn.k_norm.weight", {layer.head_dim}, use);
  if (!layer.k_eq_v) {
    table.add("self_attn.v_proj.weight", {keys, text.hidden_size}, use);
  }
}

void add_moe(const TextConfig& text, Table& table) {
  const std::size_t width = text.hidden_size;
  const std::size_t experts = text.moe->num_experts;
  const std::size_t expert_width = text.moe->moe_intermediate_size;
  table.add("router.proj.weight", {experts, width});
  table.add("router.scale", {width});
  table.add("router.per_expert_scale", {experts});
  table.add("experts.gate_up_proj", {experts, 2 * expert_width, width});
  table.add("experts.down_proj", {experts, width, expert_width});
  table.add("post_feedforward_layernorm_1.weight", {width});
  table.add("pre_feedforward_layernorm_2.weight", {width});
  table.add("post_feedforward_layernorm_2.weight", {width});
}

void add_layer(const TextConfig& text, std::size_t i, bool drafter, Table& table) {
  const std::size_t width = text.hidden_size;
  const std::size_t ffn = text.layers[i].intermediate_size;
  table.add("input_layernorm.weight", {width});
  table.add("post_attention_layernorm.weight", {width});
  table.add("pre_feedforward_layernorm.weight", {width});
  table.add("post_feedforward_layernorm.weight", {width});
  add_attention(text, i, drafter, table);
  table.add("mlp.gate_proj.weight", {ffn, width});
  table.add("mlp.up_proj.weight", {ffn, width});
  table.add("mlp.down_proj.weight", {width, ffn});
  table.add("layer_scalar", {1});
  if (const std::size_t p = text.hidden_size_per_layer_input; p > 0) {
    table.add("per_layer_input_gate.weight", {p, width});
    table.add("per_layer_projection.weight", {width, p});
    table.add("post_per_layer_input_norm.weight", {width});
  }
  if (text.moe) {
    add_moe(text, table);
  }
}

void add_globals(const TextConfig& text, Table& table) {
  table.add("embed_tokens.weight", {text.vocab_size, text.hidden_size});
  table.add("norm.weight", {text.hidden_size});
  if (const std::size_t p = text.hidden_size_per_layer_input; p > 0) {
    const std::size_t all = text.num_hidden_layers() * p;
    table.add("embed_tokens_per_layer.weight", {text.vocab_size_per_layer_input, all});
    table.add("per_layer_model_projection.weight", {all, text.hidden_size});
    table.add("per_layer_projection_norm.weight", {p});
  }
}

void add_drafter(const TextConfig& text, const DrafterConfig& drafter, Table& table) {
  const std::size_t backbone = drafter.backbone_hidden_size;
  table.add("pre_projection.weight", {text.hidden_size, 2 * backbone});
  table.add("post_projection.weight", {backbone, text.hidden_size});
  if (drafter.use_ordered_embeddings) {
    table.add("masked_embedding.centroids.weight", {drafter.num_centroids, text.hidden_size});
    table.add("masked_embedding.token_ordering", {text.vocab_size}, TensorUse::kInteger);
  }
}

}  // namespace

std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config) {
  std::vector<ExpectedTensor> rows;
  Table globals("");
  add_globals(config.text, globals);
  if (config.drafter) {
    add_drafter(config.text, *config.drafter, globals);
  }
  globals.append_to(rows);
  for (std::size_t i = 0; i < config.text.num_hidden_layers(); ++i) {
    Table layer("layers." + std::to_string(i) + ".");
    add_layer(config.text, i, config.drafter.has_value(), layer);
    layer.append_to(rows);
  }
  for (ExpectedTensor& row : encoder_tensors(config)) {
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string stored_name(const ModelConfig& config, std::string_view name) {
  constexpr std::string_view kHead = "lm_head.";
  if (encoder_half(name) != EncoderHalf::kNone || name.substr(0, kHead.size()) == kHead) {
    return std::string(name);
  }
  if (config.drafter) {
    for (const std::string_view root : kDrafterRoots) {
      if (name.substr(0, root.size()) == root) {
        return std::string(name);
      }
    }
  }
  return config.weight_prefix + std::string(name);
}

}  // namespace assay
