// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/gguf_names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace assay {
namespace {

struct Row {
  std::string_view name;    // '#' is the number of a layer
  std::string_view gguf;    // …
  std::string_view ollama;  // where it is another
  GgufLayout layout = GgufLayout::kSame;
};

constexpr Row kModel[] = {
    {"embed_tokens.weight", "token_embd.weight", {}},
    {"norm.weight", "output_norm.weight", {}},
    {"lm_head.weight", "output.weight", {}},
    {"embed_tokens_per_layer.weight", "per_layer_token_embd.weight", {}},
    {"per_layer_model_projection.weight", "per_layer_model_proj.weight", {}},
    {"per_layer_projection_norm.weight", "per_layer_proj_norm.weight", {}},
    {"layers.#.input_layernorm.weight", "blk.#.attn_norm.weight", {}},
    {"layers.#.post_attention_layernorm.weight", "blk.#.post_attention_norm.weight", {}},
    {"layers.#.pre_feedforward_layernorm.weight", "blk.#.ffn_norm.weight", {}},
    {"layers.#.post_feedforward_layernorm.weight", "blk.#.post_ffw_norm.weight", {}},
    {"layers.#.self_attn.q_proj.weight", "blk.#.attn_q.weight", {}},
    {"layers.#.self_attn.k_proj.weight", "blk.#.attn_k.weight", {}},
    {"layers.#.self_attn.v_proj.weight", "blk.#.attn_v.weight", {}},
    {"layers.#.self_attn.o_proj.weight", "blk.#.attn_output.weight", {}},
    {"layers.#.self_attn.q_norm.weight", "blk.#.attn_q_norm.weight", {}},
    {"layers.#.self_attn.k_norm.weight", "blk.#.attn_k_norm.weight", {}},
    {"layers.#.mlp.gate_proj.weight", "blk.#.ffn_gate.weight", {}},
    {"layers.#.mlp.up_proj.weight", "blk.#.ffn_up.weight", {}},
    {"layers.#.mlp.down_proj.weight", "blk.#.ffn_down.weight", {}},
    {"layers.#.layer_scalar", "blk.#.layer_output_scale.weight", {}},
    {"layers.#.per_layer_input_gate.weight", "blk.#.inp_gate.weight", {}},
    {"layers.#.per_layer_projection.weight", "blk.#.proj.weight", {}},
    {"layers.#.post_per_layer_input_norm.weight", "blk.#.post_norm.weight", {}},
    {"layers.#.router.proj.weight", "blk.#.ffn_gate_inp.weight", {}},
    {"layers.#.router.scale", "blk.#.ffn_gate_inp.scale", {}},
    {"layers.#.router.per_expert_scale", "blk.#.ffn_down_exps.scale", {}},
    {"layers.#.experts.gate_up_proj", "blk.#.ffn_gate_up_exps.weight", {}},
    {"layers.#.experts.down_proj", "blk.#.ffn_down_exps.weight", {}},
    {"layers.#.post_feedforward_layernorm_1.weight", "blk.#.post_ffw_norm_1.weight", {}},
    {"layers.#.pre_feedforward_layernorm_2.weight", "blk.#.pre_ffw_norm_2.weight", {}},
    {"layers.#.post_feedforward_layernorm_2.weight", "blk.#.post_ffw_norm_2.weight", {}},
    {"pre_projection.weight", "nextn.pre_projection.weight", {}},
    {"post_projection.weight", "nextn.post_projection.weight", {}},
    {"masked_embedding.centroids.weight", "masked_embd_centroids.weight", {}},
    {"masked_embedding.token_ordering", "masked_embd_ordering", {}},
};

constexpr Row kVision[] = {
    {"embed_vision.embedding_projection.weight", "mm.input_projection.weight", {}},
    {"vision_tower.patch_embedder.input_proj.weight",
     "v.patch_embd.weight",
     {},
     GgufLayout::kPatches},
    {"vision_tower.patch_embedder.position_embedding_table", "v.position_embd.weight", {}},
    {"vision_tower.std_bias", "v.std_bias", {}},
    {"vision_tower.std_scale", "v.std_scale", {}},
    {"vision_tower.encoder.layers.#.input_layernorm.weight", "v.blk.#.ln1.weight", {}},
    {"vision_tower.encoder.layers.#.post_attention_layernorm.weight",
     "v.blk.#.attn_post_norm.weight",
     {}},
    {"vision_tower.encoder.layers.#.pre_feedforward_layernorm.weight", "v.blk.#.ln2.weight", {}},
    {"vision_tower.encoder.layers.#.post_feedforward_layernorm.weight",
     "v.blk.#.ffn_post_norm.weight",
     {}},
    {"vision_tower.encoder.layers.#.self_attn.q_proj.linear.weight", "v.blk.#.attn_q.weight", {}},
    {"vision_tower.encoder.layers.#.self_attn.k_proj.linear.weight", "v.blk.#.attn_k.weight", {}},
    {"vision_tower.encoder.layers.#.self_attn.v_proj.linear.weight", "v.blk.#.attn_v.weight", {}},
    {"vision_tower.encoder.layers.#.self_attn.o_proj.linear.weight", "v.blk.#.attn_out.weight", {}},
    {"vision_tower.encoder.layers.#.self_attn.q_norm.weight", "v.blk.#.attn_q_norm.weight", {}},
    {"vision_tower.encoder.layers.#.self_attn.k_norm.weight", "v.blk.#.attn_k_norm.weight", {}},
    {"vision_tower.encoder.layers.#.mlp.gate_proj.linear.weight", "v.blk.#.ffn_gate.weight", {}},
    {"vision_tower.encoder.layers.#.mlp.up_proj.linear.weight", "v.blk.#.ffn_up.weight", {}},
    {"vision_tower.encoder.layers.#.mlp.down_proj.linear.weight", "v.blk.#.ffn_down.weight", {}},
    // The 12B, which has no encoder.
    {"vision_embedder.patch_dense.weight", "v.patch_embd.weight", {}, GgufLayout::kPatches},
    {"vision_embedder.patch_dense.bias", "v.patch_embd.bias", {}},
    {"vision_embedder.patch_ln1.weight", "v.patch_norm.1.weight", {}, GgufLayout::kPatches},
    {"vision_embedder.patch_ln1.bias", "v.patch_norm.1.bias", {}, GgufLayout::kPatches},
    {"vision_embedder.patch_ln2.weight", "v.patch_norm.2.weight", {}},
    {"vision_embedder.patch_ln2.bias", "v.patch_norm.2.bias", {}},
    {"vision_embedder.pos_norm.weight", "v.patch_norm.3.weight", {}},
    {"vision_embedder.pos_norm.bias", "v.patch_norm.3.bias", {}},
    {"vision_embedder.pos_embedding", "v.position_embd.weight", {}, GgufLayout::kAxes},
};

constexpr Row kAudio[] = {
    {"embed_audio.embedding_projection.weight", "mm.a.input_projection.weight", {}},
    {"audio_tower.output_proj.weight", "a.pre_encode.out.weight", "mm.a.fc.weight"},
    {"audio_tower.output_proj.bias", "a.pre_encode.out.bias", "mm.a.fc.bias"},
    {"audio_tower.subsample_conv_projection.input_proj_linear.weight", "a.input_projection.weight",
     "a.pre_encode.out.weight"},
    {"audio_tower.subsample_conv_projection.layer0.conv.weight", "a.conv1d.0.weight", {}},
    {"audio_tower.subsample_conv_projection.layer0.norm.weight", "a.conv1d.0.norm.weight", {}},
    {"audio_tower.subsample_conv_projection.layer1.conv.weight", "a.conv1d.1.weight", {}},
    {"audio_tower.subsample_conv_projection.layer1.norm.weight", "a.conv1d.1.norm.weight", {}},
    {"audio_tower.layers.#.feed_forward1.pre_layer_norm.weight", "a.blk.#.ffn_norm.weight", {}},
    {"audio_tower.layers.#.feed_forward1.post_layer_norm.weight",
     "a.blk.#.ffn_post_norm.weight",
     {}},
    {"audio_tower.layers.#.feed_forward1.ffw_layer_1.linear.weight", "a.blk.#.ffn_up.weight", {}},
    {"audio_tower.layers.#.feed_forward1.ffw_layer_2.linear.weight", "a.blk.#.ffn_down.weight", {}},
    {"audio_tower.layers.#.feed_forward2.pre_layer_norm.weight", "a.blk.#.ffn_norm_1.weight", {}},
    {"audio_tower.layers.#.feed_forward2.post_layer_norm.weight",
     "a.blk.#.ffn_post_norm_1.weight",
     {}},
    {"audio_tower.layers.#.feed_forward2.ffw_layer_1.linear.weight", "a.blk.#.ffn_up_1.weight", {}},
    {"audio_tower.layers.#.feed_forward2.ffw_layer_2.linear.weight",
     "a.blk.#.ffn_down_1.weight",
     {}},
    {"audio_tower.layers.#.norm_pre_attn.weight", "a.blk.#.attn_pre_norm.weight",
     "a.blk.#.ln1.weight"},
    {"audio_tower.layers.#.norm_post_attn.weight", "a.blk.#.attn_post_norm.weight",
     "a.blk.#.ln2.weight"},
    {"audio_tower.layers.#.norm_out.weight", "a.blk.#.ln2.weight", "a.blk.#.layer_pre_norm.weight"},
    {"audio_tower.layers.#.self_attn.q_proj.linear.weight", "a.blk.#.attn_q.weight", {}},
    {"audio_tower.layers.#.self_attn.k_proj.linear.weight", "a.blk.#.attn_k.weight", {}},
    {"audio_tower.layers.#.self_attn.v_proj.linear.weight", "a.blk.#.attn_v.weight", {}},
    {"audio_tower.layers.#.self_attn.post.linear.weight", "a.blk.#.attn_out.weight", {}},
    {"audio_tower.layers.#.self_attn.relative_k_proj.weight", "a.blk.#.attn_k_rel.weight",
     "a.blk.#.linear_pos.weight"},
    {"audio_tower.layers.#.self_attn.per_dim_scale",
     "a.blk.#.per_dim_scale.weight",
     {},
     GgufLayout::kSoftplus},
    {"audio_tower.layers.#.lconv1d.pre_layer_norm.weight", "a.blk.#.conv_norm.weight", {}},
    {"audio_tower.layers.#.lconv1d.conv_norm.weight", "a.blk.#.norm_conv.weight", {}},
    {"audio_tower.layers.#.lconv1d.linear_start.linear.weight", "a.blk.#.conv_pw1.weight", {}},
    {"audio_tower.layers.#.lconv1d.linear_end.linear.weight", "a.blk.#.conv_pw2.weight", {}},
    {"audio_tower.layers.#.lconv1d.depthwise_conv1d.weight", "a.blk.#.conv_dw.weight", {}},
};

constexpr std::string_view kEncoders = "model.";
constexpr std::string_view kLinear = ".linear.weight";
constexpr std::string_view kWeight = ".weight";
constexpr std::array<std::string_view, 4> kBounds = {".input_min", ".input_max", ".output_min",
                                                     ".output_max"};

// The digits that '#' of `pattern` stands for; nothing when `name` is not of it.
std::optional<std::string_view> match(std::string_view pattern, std::string_view name) {
  const std::size_t mark = pattern.find('#');
  if (mark == std::string_view::npos) {
    return pattern == name ? std::optional(std::string_view{}) : std::nullopt;
  }
  const std::string_view tail = pattern.substr(mark + 1);
  if (!name.starts_with(pattern.substr(0, mark)) || !name.ends_with(tail) ||
      name.size() <= mark + tail.size()) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(mark, name.size() - mark - tail.size());
  const bool number = std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  return number ? std::optional(digits) : std::nullopt;
}

std::string with_number(std::string_view pattern, std::string_view digits) {
  std::string name(pattern);
  if (const std::size_t mark = name.find('#'); mark != std::string::npos) {
    name.replace(mark, 1, digits);
  }
  return name;
}

template <std::size_t kCount>
std::optional<GgufName> find_row(const Row (&rows)[kCount], std::string_view name,
                                 GgufDialect dialect) {
  for (const Row& row : rows) {
    if (const auto digits = match(row.name, name)) {
      const bool other = dialect == GgufDialect::kOllama && !row.ollama.empty();
      return GgufName{with_number(other ? row.ollama : row.gguf, *digits), row.layout};
    }
  }
  return std::nullopt;
}

std::optional<GgufName> encoder_name(std::string_view name, GgufDialect dialect) {
  auto found = find_row(kVision, name, dialect);
  return found ? found : find_row(kAudio, name, dialect);
}

// Bounds stand beside the weight that they clamp the input and output of.
std::optional<GgufName> bound_name(std::string_view name, GgufDialect dialect) {
  for (const std::string_view bound : kBounds) {
    if (name.ends_with(bound)) {
      const std::string_view stem = name.substr(0, name.size() - bound.size());
      auto found = encoder_name(std::string(stem) + std::string(kLinear), dialect);
      if (found) {
        found->name.replace(found->name.size() - kWeight.size(), kWeight.size(), bound);
      }
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<GgufName> gguf_name(std::string_view name, GgufDialect dialect) {
  if (!name.starts_with(kEncoders)) {
    return find_row(kModel, name, dialect);
  }
  name.remove_prefix(kEncoders.size());
  auto found = encoder_name(name, dialect);
  return found ? found : bound_name(name, dialect);
}

std::string gguf_factor_name(std::string_view name) {
  const std::string_view stem = name.ends_with(kWeight) ? name.substr(0, name.size() - 7) : name;
  return std::string(stem) + ".scale";
}

}  // namespace assay
