// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/encoder_tensors.h"

#include <initializer_list>
#include <string>
#include <utility>

namespace assay {
namespace {

constexpr std::size_t kMelBins = 128;

using Shape = std::vector<std::size_t>;

class Rows {
 public:
  Rows(std::string prefix, bool clipped, std::vector<ExpectedTensor>& rows)
      : prefix_(std::move(prefix)), clipped_(clipped), rows_(&rows) {}

  // The same rows below another name.
  Rows below(const std::string& name) const { return {prefix_ + name, clipped_, *rows_}; }

  void add(std::string_view name, Shape shape, TensorUse use = TensorUse::kWeight) {
    rows_->push_back({prefix_ + std::string(name), std::move(shape), use});
  }

  // A linear map that may be clipped: its weight, and four bounds where the encoder has them.
  void add_linear(const std::string& name, std::size_t out, std::size_t in) {
    add(name + ".linear.weight", {out, in});
    if (!clipped_) {
      return;
    }
    for (const char* bound : {".input_min", ".input_max", ".output_min", ".output_max"}) {
      add(name + bound, {}, TensorUse::kBound);
    }
  }

  void add_vectors(std::initializer_list<const char*> names, std::size_t width) {
    for (const char* name : names) {
      add(name, {width});
    }
  }

 private:
  std::string prefix_;
  bool clipped_;
  std::vector<ExpectedTensor>* rows_;
};

void add_vision_layer(const VisionConfig& config, Rows layer) {
  const std::size_t width = config.hidden_size;
  const std::size_t heads = config.num_attention_heads * config.head_dim;
  layer.add_vectors({"input_layernorm.weight", "post_attention_layernorm.weight",
                     "pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight"},
                    width);
  for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}) {
    layer.add_linear(name, heads, width);
  }
  layer.add_linear("self_attn.o_proj", width, heads);
  layer.add_vectors({"self_attn.q_norm.weight", "self_attn.k_norm.weight"}, config.head_dim);
  layer.add_linear("mlp.gate_proj", config.intermediate_size, width);
  layer.add_linear("mlp.up_proj", config.intermediate_size, width);
  layer.add_linear("mlp.down_proj", width, config.intermediate_size);
}

void add_vision(const VisionConfig& config, std::vector<ExpectedTensor>& rows) {
  Rows encoder("model.vision_tower.", config.use_clipped_linears, rows);
  const std::size_t width = config.hidden_size;
  encoder.add("patch_embedder.input_proj.weight", {width, config.patch_width()});
  encoder.add("patch_embedder.position_embedding_table",
              {2, config.position_embedding_size, width});
  for (std::size_t i = 0; i < config.num_hidden_layers; ++i) {
    add_vision_layer(config, encoder.below("encoder.layers." + std::to_string(i) + "."));
  }
  if (config.standardize) {
    encoder.add_vectors({"std_bias", "std_scale"}, width);
  }
}

void add_feed_forward(std::size_t width, Rows block) {
  block.add_vectors({"pre_layer_norm.weight", "post_layer_norm.weight"}, width);
  block.add_linear("ffw_layer_1", 4 * width, width);
  block.add_linear("ffw_layer_2", width, 4 * width);
}

void add_audio_layer(const AudioConfig& config, Rows layer) {
  const std::size_t width = config.hidden_size;
  add_feed_forward(width, layer.below("feed_forward1."));
  add_feed_forward(width, layer.below("feed_forward2."));
  for (const char* name : {"q_proj", "k_proj", "v_proj", "post"}) {
    layer.add_linear(std::string("self_attn.") + name, width, width);
  }
  layer.add("self_attn.relative_k_proj.weight", {width, width});
  layer.add("self_attn.per_dim_scale", {config.head_dim()});
  layer.add_vectors({"lconv1d.pre_layer_norm.weight", "lconv1d.conv_norm.weight"}, width);
  layer.add_linear("lconv1d.linear_start", 2 * width, width);
  layer.add("lconv1d.depthwise_conv1d.weight", {width, 1, config.conv_kernel_size});
  layer.add_linear("lconv1d.linear_end", width, width);
  layer.add_vectors({"norm_pre_attn.weight", "norm_post_attn.weight", "norm_out.weight"}, width);
}

void add_audio(const AudioConfig& config, std::vector<ExpectedTensor>& rows) {
  Rows encoder("model.audio_tower.", config.use_clipped_linears, rows);
  const auto [first, second] = config.subsampling_conv_channels;
  Rows subsample = encoder.below("subsample_conv_projection.");
  subsample.add("layer0.conv.weight", {first, 1, 3, 3});
  subsample.add("layer0.norm.weight", {first});
  subsample.add("layer1.conv.weight", {second, first, 3, 3});
  subsample.add("layer1.norm.weight", {second});
  // Two strides of two leave a quarter of the mel bins (DIV-M36).
  subsample.add("input_proj_linear.weight", {config.hidden_size, kMelBins / 4 * second});
  for (std::size_t i = 0; i < config.num_hidden_layers; ++i) {
    add_audio_layer(config, encoder.below("layers." + std::to_string(i) + "."));
  }
  encoder.add("output_proj.weight", {config.output_proj_dims, config.hidden_size});
  encoder.add("output_proj.bias", {config.output_proj_dims});
}

void add_unified_vision(const UnifiedVisionConfig& config, std::vector<ExpectedTensor>& rows) {
  Rows embedder("model.vision_embedder.", false, rows);
  const std::size_t width = config.mm_embed_dim;
  embedder.add_vectors({"patch_ln1.weight", "patch_ln1.bias"}, config.patch_width());
  embedder.add("patch_dense.weight", {width, config.patch_width()});
  embedder.add_vectors({"patch_dense.bias", "patch_ln2.weight", "patch_ln2.bias", "pos_norm.weight",
                        "pos_norm.bias"},
                       width);
  embedder.add("pos_embedding", {config.mm_posemb_size, 2, width});
}

void add_projection(const char* name, std::size_t out, std::size_t in,
                    std::vector<ExpectedTensor>& rows) {
  rows.push_back({name, {out, in}, TensorUse::kWeight});
}

}  // namespace

EncoderHalf encoder_half(std::string_view name) {
  for (const char* prefix :
       {"model.vision_tower.", "model.vision_embedder.", "model.embed_vision."}) {
    if (name.starts_with(prefix)) {
      return EncoderHalf::kVision;
    }
  }
  return name.starts_with("model.audio_tower.") || name.starts_with("model.embed_audio.")
             ? EncoderHalf::kAudio
             : EncoderHalf::kNone;
}

std::vector<ExpectedTensor> encoder_tensors(const ModelConfig& config) {
  constexpr const char* kVision = "model.embed_vision.embedding_projection.weight";
  constexpr const char* kAudio = "model.embed_audio.embedding_projection.weight";
  const std::size_t text = config.text.hidden_size;
  std::vector<ExpectedTensor> rows;
  if (config.vision) {
    add_vision(*config.vision, rows);
    add_projection(kVision, text, config.vision->hidden_size, rows);
  }
  if (config.audio) {
    add_audio(*config.audio, rows);
    add_projection(kAudio, text, config.audio->output_proj_dims, rows);
  }
  if (config.unified_vision) {
    add_unified_vision(*config.unified_vision, rows);
    add_projection(kVision, text, config.unified_vision->mm_embed_dim, rows);
  }
  if (config.unified_audio) {
    add_projection(kAudio, text, config.unified_audio->audio_embed_dim, rows);
  }
  return rows;
}

std::string partner_bound(std::string_view name) {
  const std::string stem(name.substr(0, name.size() - 3));
  return stem + (name.ends_with("min") ? "max" : "min");
}

}  // namespace assay
