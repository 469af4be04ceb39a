// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/parse_media_config.h"

#include <array>
#include <string>

#include "reference/family/config/parse_text_config.h"

namespace assay {
namespace {

constexpr NumberRange kEpsRange{0.0, 1.0};
constexpr NumberRange kThetaRange{1.0, 1e12};
constexpr NumberRange kClampRange{0.0, 3e38};
// A hidden key must vanish in the softmax, whatever the capped logits are.
constexpr NumberRange kCapRange{0.0, 1e5};
constexpr NumberRange kInvalidRange{-3e38, -1e6};
constexpr NumberRange kResidualRange{-1e3, 1e3};
constexpr IntegerRange kPatchRange{1, 1u << 10};
constexpr IntegerRange kPoolingRange{1, 1u << 6};
constexpr IntegerRange kContextRange{2, 1u << 16};
constexpr IntegerRange kKernelRange{1, 1u << 10};
constexpr IntegerRange kSamplesRange{1, 1u << 20};

std::int32_t token_id(const JsonObject& root, std::string_view key, std::int32_t fallback) {
  if (!root.contains(key)) {
    return fallback;
  }
  return root.has(key) ? static_cast<std::int32_t>(root.integer(key, {0, kVocabRange.most})) : -1;
}

// Released files name the end of an audio clip once, by either key, or twice.
std::int32_t end_of_audio(const JsonObject& root, std::int32_t fallback) {
  const std::int32_t by_index = token_id(root, "eoa_token_index", fallback);
  const std::int32_t by_id = token_id(root, "eoa_token_id", by_index);
  if (root.contains("eoa_token_index") && by_id != by_index) {
    root.fail("eoa_token_id", std::to_string(by_index) + ", the eoa_token_index");
  }
  return by_id;
}

// Two keys for one number: where the second is there, it must say the same.
void check_alias(const JsonObject& object, std::string_view key, std::size_t value,
                 const std::string& meaning) {
  if (object.has(key) && *object.find(key) != value) {
    object.fail(key, std::to_string(value) + ", " + meaning);
  }
}

// "default" is how files before transformers 5.22 call the only kind of rotation there is.
double parse_rope_theta(const JsonObject& vision, double fallback) {
  const double flat = vision.number_or("rope_theta", kThetaRange, fallback);
  if (!vision.has("rope_parameters")) {
    return flat;
  }
  const JsonObject rope = vision.object("rope_parameters");
  if (rope.has("rope_type") && rope.text("rope_type") != "default" &&
      rope.text("rope_type") != "axial") {
    rope.fail("rope_type", "\"axial\" or \"default\"");
  }
  rope.expect("partial_rotary_factor", 1.0);
  rope.expect("factor", 1.0);
  for (const auto& [key, value] : rope.value().object()) {
    if (value.is_array() || value.is_object()) {
      rope.fail(key, "one rotation for all layers");
    }
  }
  const double theta = rope.number_or("rope_theta", kThetaRange, flat);
  if (vision.has("rope_theta") && theta != flat) {
    rope.fail("rope_theta", json_text(flat) + ", the rope_theta beside it");
  }
  return theta;
}

void parse_vision_heads(const JsonObject& vision, VisionConfig& config) {
  config.num_attention_heads =
      vision.integer_or("num_attention_heads", kHeadRange, config.num_attention_heads);
  const std::size_t kv_heads =
      vision.integer_or("num_key_value_heads", kHeadRange, VisionConfig().num_attention_heads);
  if (kv_heads != config.num_attention_heads) {
    vision.fail("num_key_value_heads",
                std::to_string(config.num_attention_heads) + ", the num_attention_heads");
  }
  config.head_dim = vision.integer_or("head_dim", {4, 1u << 16}, config.head_dim);
  if (config.head_dim % 4 != 0) {
    vision.fail("head_dim", "a multiple of 4");
  }
}

VisionConfig parse_vision(const JsonObject& vision) {
  vision.expect("model_type", "gemma4_vision");
  vision.expect("hidden_activation", "gelu_pytorch_tanh");
  vision.expect("attention_bias", false);
  vision.expect("rope_scaling", nullptr);
  VisionConfig config;
  config.hidden_size = vision.integer_or("hidden_size", kWidthRange, config.hidden_size);
  config.intermediate_size =
      vision.integer_or("intermediate_size", kWidthRange, config.intermediate_size);
  config.num_hidden_layers =
      vision.integer_or("num_hidden_layers", kLayerRange, config.num_hidden_layers);
  parse_vision_heads(vision, config);
  config.rms_norm_eps = vision.number_or("rms_norm_eps", kEpsRange, config.rms_norm_eps);
  config.rope_theta = parse_rope_theta(vision, config.rope_theta);
  config.patch_size = vision.integer_or("patch_size", kPatchRange, config.patch_size);
  config.pooling_kernel_size =
      vision.integer_or("pooling_kernel_size", kPoolingRange, config.pooling_kernel_size);
  config.position_embedding_size =
      vision.integer_or("position_embedding_size", kWidthRange, config.position_embedding_size);
  config.use_clipped_linears = vision.boolean_or("use_clipped_linears", config.use_clipped_linears);
  config.standardize = vision.boolean_or("standardize", config.standardize);
  return config;
}

std::array<std::size_t, 2> parse_conv_channels(const JsonObject& audio) {
  constexpr const char* kKey = "subsampling_conv_channels";
  if (!audio.has(kKey)) {
    return AudioConfig{}.subsampling_conv_channels;
  }
  const Json::Array& values = audio.array(kKey);
  std::array<std::size_t, 2> channels{};
  if (values.size() != channels.size()) {
    audio.fail(kKey, "the channels of two convolutions");
  }
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const auto value = values[i].unsigned_integer();
    if (!value || *value == 0 || *value > kHeadRange.most) {
      audio.fail_element(kKey, i,
                         "a positive integer of at most " + std::to_string(kHeadRange.most));
    }
    channels[i] = *value;
  }
  return channels;
}

void parse_audio_widths(const JsonObject& audio, AudioConfig& config) {
  config.hidden_size = audio.integer_or("hidden_size", kWidthRange, config.hidden_size);
  if (config.hidden_size % 2 != 0) {
    audio.fail("hidden_size", "an even number: positions are sines and cosines");
  }
  config.num_attention_heads =
      audio.integer_or("num_attention_heads", kHeadRange, config.num_attention_heads);
  if (config.hidden_size % config.num_attention_heads != 0) {
    audio.fail("num_attention_heads",
               "a divisor of the hidden_size " + std::to_string(config.hidden_size));
  }
  config.num_hidden_layers =
      audio.integer_or("num_hidden_layers", kLayerRange, config.num_hidden_layers);
  config.subsampling_conv_channels = parse_conv_channels(audio);
  config.conv_kernel_size =
      audio.integer_or("conv_kernel_size", kKernelRange, config.conv_kernel_size);
  config.output_proj_dims =
      audio.integer_or("output_proj_dims", kWidthRange, config.output_proj_dims);
}

void parse_audio_context(const JsonObject& audio, AudioConfig& config) {
  config.attention_context_left =
      audio.integer_or("attention_context_left", kContextRange, config.attention_context_left);
  audio.expect("attention_context_right", 0u);
  config.attention_chunk_size =
      audio.integer_or("attention_chunk_size", kContextRange, config.attention_chunk_size);
  const std::size_t past = config.attention_context_left - 1;
  // Otherwise row r of transformers' table of positions is not the distance past - r (DIV-M35).
  if (config.attention_chunk_size != past && config.attention_chunk_size != past + 1) {
    audio.fail("attention_chunk_size", "attention_context_left - 1 = " + std::to_string(past));
  }
}

AudioConfig parse_audio(const JsonObject& audio) {
  audio.expect("model_type", "gemma4_audio");
  audio.expect("hidden_act", "silu");
  AudioConfig config;
  parse_audio_widths(audio, config);
  parse_audio_context(audio, config);
  config.residual_weight =
      audio.number_or("residual_weight", kResidualRange, config.residual_weight);
  config.attention_logit_cap =
      audio.number_or("attention_logit_cap", kCapRange, config.attention_logit_cap);
  config.attention_invalid_logits_value = audio.number_or(
      "attention_invalid_logits_value", kInvalidRange, config.attention_invalid_logits_value);
  config.use_clipped_linears = audio.boolean_or("use_clipped_linears", config.use_clipped_linears);
  config.rms_norm_eps = audio.number_or("rms_norm_eps", kEpsRange, config.rms_norm_eps);
  config.gradient_clipping =
      audio.number_or("gradient_clipping", kClampRange, config.gradient_clipping);
  return config;
}

UnifiedVisionConfig parse_unified_vision(const JsonObject& vision) {
  vision.expect("model_type", "gemma4_unified_vision");
  UnifiedVisionConfig config;
  config.patch_size = vision.integer_or("patch_size", kPatchRange, config.patch_size);
  config.pooling_kernel_size =
      vision.integer_or("pooling_kernel_size", kPoolingRange, config.pooling_kernel_size);
  check_alias(vision, "model_patch_size", config.model_patch_size(),
              "patch_size * pooling_kernel_size");
  config.mm_embed_dim = vision.integer_or("mm_embed_dim", kWidthRange, config.mm_embed_dim);
  check_alias(vision, "output_proj_dims", config.mm_embed_dim, "the mm_embed_dim");
  config.mm_posemb_size = vision.integer_or("mm_posemb_size", kWidthRange, config.mm_posemb_size);
  config.rms_norm_eps = vision.number_or("rms_norm_eps", kEpsRange, config.rms_norm_eps);
  return config;
}

UnifiedAudioConfig parse_unified_audio(const JsonObject& audio) {
  audio.expect("model_type", "gemma4_unified_audio");
  UnifiedAudioConfig config;
  const std::size_t samples =
      audio.integer_or("audio_samples_per_token", kSamplesRange, config.audio_embed_dim);
  config.audio_embed_dim = audio.integer_or("audio_embed_dim", kSamplesRange, samples);
  for (const char* key : {"audio_samples_per_token", "hidden_size", "output_proj_dims"}) {
    check_alias(audio, key, config.audio_embed_dim, "the audio_embed_dim");
  }
  config.rms_norm_eps = audio.number_or("rms_norm_eps", kEpsRange, config.rms_norm_eps);
  return config;
}

}  // namespace

void check_budget(const JsonObject& object, std::string_view key, std::size_t budget) {
  if (!is_budget(budget)) {
    object.fail(key, budgets_text() + " soft tokens");
  }
}

void parse_media_tokens(const JsonObject& root, SpecialTokens& special) {
  special.image = token_id(root, "image_token_id", special.image);
  special.video = token_id(root, "video_token_id", special.video);
  special.audio = token_id(root, "audio_token_id", special.audio);
  special.boi = token_id(root, "boi_token_id", special.boi);
  special.eoi = token_id(root, "eoi_token_id", special.eoi);
  special.boa = token_id(root, "boa_token_id", special.boa);
  special.eoa = end_of_audio(root, special.eoa);
}

void parse_media_config(const JsonObject& root, bool unified, ModelConfig& config) {
  if (root.has("vision_config")) {
    const JsonObject vision = root.object("vision_config");
    if (unified) {
      config.unified_vision = parse_unified_vision(vision);
      std::size_t& budget = config.processor.image_max_soft_tokens;
      budget = vision.integer_or("num_soft_tokens", kWidthRange, budget);
      check_budget(vision, "num_soft_tokens", budget);
    } else {
      config.vision = parse_vision(vision);
    }
  }
  if (root.has("audio_config")) {
    const JsonObject audio = root.object("audio_config");
    if (unified) {
      config.unified_audio = parse_unified_audio(audio);
    } else {
      config.audio = parse_audio(audio);
    }
  }
}

}  // namespace assay
