// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/write_config.h"

#include <utility>

#include "reference/family/base/json.h"

namespace assay {
namespace {

bool is_unified(const ModelConfig& config) {
  return config.model_type.starts_with("gemma4_unified");
}

bool is_nested(const ModelConfig& config) {
  return !config.model_type.ends_with("_text");
}

// The first layer of a kind, or null.
const LayerConfig* layer_of(const TextConfig& text, LayerKind kind) {
  for (const LayerConfig& layer : text.layers) {
    if (layer.kind == kind) {
      return &layer;
    }
  }
  return nullptr;
}

Json rope_parameters(const TextConfig& text) {
  return Json::Object{
      {"sliding_attention",
       Json::Object{{"rope_type", "default"}, {"rope_theta", text.rope_sliding.rope_theta}}},
      {"full_attention",
       Json::Object{{"rope_type", "proportional"},
                    {"rope_theta", text.rope_full.rope_theta},
                    {"partial_rotary_factor", text.rope_full.partial_rotary_factor}}}};
}

Json layer_types(const TextConfig& text) {
  Json::Array names;
  for (const LayerConfig& layer : text.layers) {
    names.emplace_back(layer.kind == LayerKind::kFull ? "full_attention" : "sliding_attention");
  }
  return names;
}

// Full layers that have other key/value heads than sliding ones, and a value projection: the
// released keys cannot say so.
Json per_layer_config(const TextConfig& text, const LayerConfig& full) {
  Json::Object layers;
  for (std::size_t i = 0; i < text.layers.size(); ++i) {
    if (text.layers[i].kind == LayerKind::kFull) {
      layers.emplace_back(std::to_string(i),
                          Json::Object{{"head_dim", full.head_dim},
                                       {"num_key_value_heads", full.num_key_value_heads}});
    }
  }
  return layers;
}

void add_heads(const TextConfig& text, Json& object) {
  const LayerConfig& full = *layer_of(text, LayerKind::kFull);  // the last layer is
  const LayerConfig* found = layer_of(text, LayerKind::kSliding);
  const LayerConfig& sliding = found != nullptr ? *found : full;
  object["num_attention_heads"] = text.num_attention_heads;
  object["num_key_value_heads"] = sliding.num_key_value_heads;
  object["num_global_key_value_heads"] = full.k_eq_v ? Json(full.num_key_value_heads) : Json();
  object["attention_k_eq_v"] = full.k_eq_v;
  object["head_dim"] = sliding.head_dim;
  object["global_head_dim"] = full.head_dim;
  if (!full.k_eq_v && full.num_key_value_heads != sliding.num_key_value_heads) {
    object["per_layer_config"] = per_layer_config(text, full);
  }
}

void add_feed_forward(const TextConfig& text, Json& object) {
  const std::size_t width = text.layers.front().intermediate_size;
  object["intermediate_size"] = width;
  object["use_double_wide_mlp"] = text.layers.back().intermediate_size != width;
  object["num_kv_shared_layers"] = text.num_kv_shared_layers;
}

void add_optional_parts(const ModelConfig& config, Json& object) {
  const TextConfig& text = config.text;
  const std::size_t width = text.hidden_size_per_layer_input;
  object["hidden_size_per_layer_input"] = width;
  object["vocab_size_per_layer_input"] =
      width > 0 ? text.vocab_size_per_layer_input : text.vocab_size;
  object["enable_moe_block"] = text.moe.has_value();
  object["num_experts"] = text.moe ? Json(text.moe->num_experts) : Json();
  object["top_k_experts"] = text.moe ? Json(text.moe->top_k_experts) : Json();
  object["moe_intermediate_size"] = text.moe ? Json(text.moe->moe_intermediate_size) : Json();
}

Json text_object(const ModelConfig& config) {
  const TextConfig& text = config.text;
  Json object =
      Json::Object{{"model_type", is_unified(config) ? "gemma4_unified_text" : "gemma4_text"},
                   {"vocab_size", text.vocab_size},
                   {"hidden_size", text.hidden_size},
                   {"num_hidden_layers", text.num_hidden_layers()},
                   {"rms_norm_eps", text.rms_norm_eps},
                   {"sliding_window", text.sliding_window},
                   {"max_position_embeddings", text.max_position_embeddings},
                   {"hidden_activation", "gelu_pytorch_tanh"},
                   {"attention_bias", false},
                   {"tie_word_embeddings", config.tie_word_embeddings},
                   {"pad_token_id", text.special.pad},
                   {"bos_token_id", 2},
                   {"eos_token_id", 1}};
  object["layer_types"] = layer_types(text);
  object["rope_parameters"] = rope_parameters(text);
  object["final_logit_softcapping"] =
      text.final_logit_softcapping ? Json(*text.final_logit_softcapping) : Json();
  object["use_bidirectional_attention"] = text.vision_blocks ? Json("vision") : Json();
  add_heads(text, object);
  add_feed_forward(text, object);
  add_optional_parts(config, object);
  return object;
}

Json vision_object(const VisionConfig& vision) {
  return Json::Object{{"model_type", "gemma4_vision"},
                      {"hidden_size", vision.hidden_size},
                      {"intermediate_size", vision.intermediate_size},
                      {"num_hidden_layers", vision.num_hidden_layers},
                      {"num_attention_heads", vision.num_attention_heads},
                      {"num_key_value_heads", vision.num_attention_heads},
                      {"head_dim", vision.head_dim},
                      {"rms_norm_eps", vision.rms_norm_eps},
                      {"rope_parameters",
                       Json::Object{{"rope_type", "default"}, {"rope_theta", vision.rope_theta}}},
                      {"patch_size", vision.patch_size},
                      {"pooling_kernel_size", vision.pooling_kernel_size},
                      {"position_embedding_size", vision.position_embedding_size},
                      {"use_clipped_linears", vision.use_clipped_linears},
                      {"standardize", vision.standardize},
                      {"hidden_activation", "gelu_pytorch_tanh"},
                      {"attention_bias", false}};
}

Json audio_object(const AudioConfig& audio) {
  const auto [first, second] = audio.subsampling_conv_channels;
  return Json::Object{{"model_type", "gemma4_audio"},
                      {"hidden_size", audio.hidden_size},
                      {"num_hidden_layers", audio.num_hidden_layers},
                      {"num_attention_heads", audio.num_attention_heads},
                      {"subsampling_conv_channels", Json::Array{first, second}},
                      {"conv_kernel_size", audio.conv_kernel_size},
                      {"residual_weight", audio.residual_weight},
                      {"attention_chunk_size", audio.attention_chunk_size},
                      {"attention_context_left", audio.attention_context_left},
                      {"attention_context_right", audio.attention_context_right},
                      {"attention_logit_cap", audio.attention_logit_cap},
                      {"attention_invalid_logits_value", audio.attention_invalid_logits_value},
                      {"use_clipped_linears", audio.use_clipped_linears},
                      {"rms_norm_eps", audio.rms_norm_eps},
                      {"gradient_clipping", audio.gradient_clipping},
                      {"output_proj_dims", audio.output_proj_dims},
                      {"hidden_act", "silu"}};
}

Json unified_vision_object(const UnifiedVisionConfig& vision, std::size_t budget) {
  return Json::Object{{"model_type", "gemma4_unified_vision"},
                      {"patch_size", vision.patch_size},
                      {"pooling_kernel_size", vision.pooling_kernel_size},
                      {"model_patch_size", vision.model_patch_size()},
                      {"mm_embed_dim", vision.mm_embed_dim},
                      {"mm_posemb_size", vision.mm_posemb_size},
                      {"num_soft_tokens", budget},
                      {"rms_norm_eps", vision.rms_norm_eps}};
}

Json unified_audio_object(const UnifiedAudioConfig& audio) {
  return Json::Object{{"model_type", "gemma4_unified_audio"},
                      {"audio_embed_dim", audio.audio_embed_dim},
                      {"rms_norm_eps", audio.rms_norm_eps}};
}

void add_encoders(const ModelConfig& config, Json& root) {
  root["vision_config"] = nullptr;
  root["audio_config"] = nullptr;
  if (config.vision) {
    root["vision_config"] = vision_object(*config.vision);
  } else if (config.unified_vision) {
    root["vision_config"] =
        unified_vision_object(*config.unified_vision, config.processor.image_max_soft_tokens);
  }
  if (config.audio) {
    root["audio_config"] = audio_object(*config.audio);
  } else if (config.unified_audio) {
    root["audio_config"] = unified_audio_object(*config.unified_audio);
  }
}

Json token_id(std::int32_t id) {
  return id < 0 ? Json() : Json(id);
}

void add_media_tokens(const SpecialTokens& special, Json& root) {
  root["image_token_id"] = token_id(special.image);
  root["video_token_id"] = token_id(special.video);
  root["audio_token_id"] = token_id(special.audio);
  root["boi_token_id"] = token_id(special.boi);
  root["eoi_token_id"] = token_id(special.eoi);
  root["boa_token_id"] = token_id(special.boa);
  root["eoa_token_id"] = token_id(special.eoa);
  root["eoa_token_index"] = token_id(special.eoa);
}

void add_drafter(const DrafterConfig& drafter, Json& root) {
  root["backbone_hidden_size"] = drafter.backbone_hidden_size;
  root["use_ordered_embeddings"] = drafter.use_ordered_embeddings;
  if (drafter.use_ordered_embeddings) {
    root["num_centroids"] = drafter.num_centroids;
    root["centroid_intermediate_top_k"] = drafter.centroid_intermediate_top_k;
  }
}

// The class of transformers that loads the model.
std::string architecture(const ModelConfig& config) {
  const std::string family = is_unified(config) ? "Gemma4Unified" : "Gemma4";
  if (config.drafter) {
    return family + "AssistantForCausalLM";
  }
  return family + (is_nested(config) ? "ForConditionalGeneration" : "ForCausalLM");
}

// "Gemma4ImageProcessor" for "ImageProcessor".
std::string class_name(const ModelConfig& config, const char* what) {
  return (is_unified(config) ? "Gemma4Unified" : "Gemma4") + std::string(what);
}

Json pixels_object(std::size_t budget, std::size_t patch, std::size_t pooling) {
  return Json::Object{{"do_convert_rgb", true},
                      {"do_resize", true},
                      {"do_rescale", true},
                      {"do_normalize", false},
                      {"rescale_factor", 1.0 / 255},
                      {"resample", 3},
                      {"image_mean", Json::Array{0.0, 0.0, 0.0}},
                      {"image_std", Json::Array{1.0, 1.0, 1.0}},
                      {"patch_size", patch},
                      {"pooling_kernel_size", pooling},
                      {"max_soft_tokens", budget}};
}

void add_pixel_parts(const ModelConfig& config, std::size_t patch, std::size_t pooling,
                     Json& root) {
  const ProcessorConfig& processor = config.processor;
  root["image_processor"] = pixels_object(processor.image_max_soft_tokens, patch, pooling);
  root["image_processor"]["image_processor_type"] = class_name(config, "ImageProcessor");
  root["video_processor"] = pixels_object(processor.video_max_soft_tokens, patch, pooling);
  root["video_processor"]["video_processor_type"] = class_name(config, "VideoProcessor");
  root["video_processor"]["num_frames"] = processor.num_frames;
}

}  // namespace

std::string config_text(const ModelConfig& config, std::string_view dtype) {
  Json root = text_object(config);
  root["dtype"] = dtype;
  if (is_nested(config)) {
    root = Json::Object{{"model_type", config.model_type},
                        {"tie_word_embeddings", config.tie_word_embeddings},
                        {"text_config", std::move(root)}};
  }
  root["architectures"] = Json::Array{architecture(config)};
  root["dtype"] = dtype;
  if (config.drafter) {
    add_drafter(*config.drafter, root);
  } else {
    add_media_tokens(config.text.special, root);
    if (is_nested(config)) {
      add_encoders(config, root);
    }
    if (!config.text.suppress_tokens.empty() || is_unified(config)) {
      root["suppress_tokens"] = config.text.suppress_tokens;
    }
  }
  return json_text(root, {.indent = 2, .sorted = true}) + "\n";
}

std::string processor_config_text(const ModelConfig& config) {
  Json root = Json::Object{};
  if (config.vision) {
    add_pixel_parts(config, config.vision->patch_size, config.vision->pooling_kernel_size, root);
  }
  if (config.unified_vision) {
    add_pixel_parts(config, config.unified_vision->patch_size,
                    config.unified_vision->pooling_kernel_size, root);
  }
  if (config.audio || config.unified_audio) {
    root["feature_extractor"] =
        Json::Object{{"feature_extractor_type", class_name(config, "AudioFeatureExtractor")},
                     {"sampling_rate", 16000},
                     {"padding_side", "right"},
                     {"padding_value", 0.0}};
  }
  if (config.audio) {
    root["feature_extractor"]["feature_size"] = 128;
  }
  if (config.unified_audio) {
    root["feature_extractor"]["audio_samples_per_token"] = config.unified_audio->audio_embed_dim;
  }
  if (root.size() == 0) {
    return "";
  }
  root["processor_class"] = class_name(config, "Processor");
  return json_text(root, {.indent = 2, .sorted = true}) + "\n";
}

}  // namespace assay
