// SPDX-License-Identifier: Apache-2.0
#include "reference/family/synth/synth_config.h"

#include <algorithm>

#include "reference/family/base/error.h"
#include "reference/family/base/json.h"
#include "reference/family/config/parse_text_config.h"
#include "reference/family/config/sizes.h"
#include "reference/family/synth/synth_encoders.h"

namespace assay {
namespace {

constexpr std::size_t kVocab = 262144;
constexpr std::string_view kDrafter = "-drafter";

std::vector<LayerKind> pattern(std::size_t layers, std::size_t period) {
  std::vector<LayerKind> kinds(layers, LayerKind::kSliding);
  for (std::size_t i = period - 1; i < layers; i += period) {
    kinds[i] = LayerKind::kFull;
  }
  if (!kinds.empty()) {
    kinds.back() = LayerKind::kFull;
  }
  return kinds;
}

std::vector<LayerKind> choose_kinds(const SynthOptions& options, std::size_t layers,
                                    std::size_t period) {
  if (options.layer_types.empty()) {
    // Beyond the limit the parser refuses the number; no need to have a list of it.
    return pattern(std::min(options.num_hidden_layers.value_or(layers), kLayerRange.most), period);
  }
  return options.layer_types;
}

bool has_kind(const std::vector<LayerKind>& kinds, std::size_t begin, std::size_t end,
              LayerKind kind) {
  for (std::size_t i = begin; i < end; ++i) {
    if (kinds[i] == kind) {
      return true;
    }
  }
  return false;
}

// The size's share of KV-sharing layers, or as many fewer as leave a source for each kind.
std::size_t fitting_shared(const std::vector<LayerKind>& kinds, const ReleasedSize& size) {
  std::size_t shared = kinds.size() * size.shared / size.layers;
  for (; shared > 0; --shared) {
    const std::size_t first = kinds.size() - shared;
    bool sources = true;
    for (const LayerKind kind : {LayerKind::kSliding, LayerKind::kFull}) {
      sources &= has_kind(kinds, 0, first, kind) || !has_kind(kinds, first, kinds.size(), kind);
    }
    if (sources) {
      break;
    }
  }
  return shared;
}

Json null_if_zero(std::size_t value) {
  return value == 0 ? Json() : Json(value);
}

Json layer_type_names(const std::vector<LayerKind>& kinds) {
  Json::Array names;
  for (const LayerKind kind : kinds) {
    names.emplace_back(kind == LayerKind::kFull ? "full_attention" : "sliding_attention");
  }
  return names;
}

// Keys that all text models share with one another.
Json common_text(const SynthOptions& options, const std::vector<LayerKind>& kinds, bool unified) {
  const std::size_t vocab = options.vocab_size.value_or(kVocab);
  const std::size_t layers = options.num_hidden_layers.value_or(kinds.size());
  Json ropes;
  ropes["sliding_attention"] = Json::Object{{"rope_type", "default"}, {"rope_theta", 10000.0}};
  ropes["full_attention"] = Json::Object{
      {"rope_type", "proportional"}, {"rope_theta", 1000000.0}, {"partial_rotary_factor", 0.25}};
  Json text = Json::Object{{"model_type", unified ? "gemma4_unified_text" : "gemma4_text"},
                           {"vocab_size", vocab},
                           {"num_hidden_layers", layers},
                           {"head_dim", options.head_dim.value_or(256)},
                           {"global_head_dim", options.global_head_dim.value_or(512)},
                           {"rms_norm_eps", 1e-6},
                           {"hidden_activation", "gelu_pytorch_tanh"},
                           {"attention_bias", false},
                           {"tie_word_embeddings", true},
                           {"pad_token_id", 0},
                           {"bos_token_id", 2},
                           {"eos_token_id", 1}};
  text["layer_types"] = layer_type_names(kinds);
  text["rope_parameters"] = ropes;
  return text;
}

void add_extras(Json& text, const ReleasedSize& size, const SynthOptions& options,
                const std::vector<LayerKind>& kinds) {
  const std::size_t shared = options.num_kv_shared_layers.value_or(fitting_shared(kinds, size));
  const std::size_t experts = options.num_experts.value_or(size.experts);
  text["num_kv_shared_layers"] = shared;
  text["use_double_wide_mlp"] = size.double_wide;
  if (size.unified) {
    return;
  }
  text["hidden_size_per_layer_input"] = options.hidden_size_per_layer_input.value_or(size.ple);
  text["vocab_size_per_layer_input"] = Json(text["vocab_size"]);
  text["enable_moe_block"] = experts > 0;
  text["num_experts"] = null_if_zero(experts);
  const auto of_experts = [&](std::optional<std::size_t> chosen, std::size_t released) {
    return experts == 0 ? Json() : Json(chosen.value_or(released));
  };
  text["top_k_experts"] = of_experts(options.top_k_experts, size.top_k);
  text["moe_intermediate_size"] = of_experts(options.moe_intermediate_size, size.expert_width);
}

// Heads of keys and values, window and positions: a drafter's are its target's.
void add_context(Json& text, const ReleasedSize& size, const SynthOptions& options) {
  text["num_key_value_heads"] = options.num_key_value_heads.value_or(size.kv_heads);
  text["num_global_key_value_heads"] =
      null_if_zero(options.num_global_key_value_heads.value_or(size.full_kv_heads));
  text["sliding_window"] = options.sliding_window.value_or(size.window);
  text["max_position_embeddings"] = size.positions;
  text["attention_k_eq_v"] = size.k_eq_v;
}

// Of a size or of its drafter.
template <class Size>
void add_widths(Json& text, const Size& size, const SynthOptions& options) {
  text["hidden_size"] = options.hidden_size.value_or(size.hidden);
  text["intermediate_size"] = options.intermediate_size.value_or(size.ffn);
  text["num_attention_heads"] = options.num_attention_heads.value_or(size.heads);
}

Json wrap(Json text, bool unified, const SynthOptions& options) {
  const std::string family = unified ? "gemma4_unified" : "gemma4";
  const std::string name = unified ? "Gemma4Unified" : "Gemma4";
  if (options.form == SynthForm::kTextOnly) {
    text["architectures"] = Json::Array{name + "ForCausalLM"};
    return text;
  }
  return Json::Object{{"model_type", family},
                      {"architectures", Json::Array{name + "ForConditionalGeneration"}},
                      {"text_config", std::move(text)},
                      {"vision_config", nullptr},
                      {"audio_config", nullptr},
                      {"tie_word_embeddings", true},
                      {"boi_token_id", 255999},
                      {"eoi_token_id", 258882},
                      {"image_token_id", 258880},
                      {"video_token_id", 258884},
                      {"boa_token_id", 256000},
                      {"eoa_token_index", 258883},
                      {"audio_token_id", 258881}};
}

Json model_config(const ReleasedSize& size, const SynthOptions& options) {
  const auto kinds = choose_kinds(options, size.layers, size.period);
  Json text = common_text(options, kinds, size.unified);
  add_widths(text, size, options);
  add_context(text, size, options);
  add_extras(text, size, options, kinds);
  text["final_logit_softcapping"] = 30.0;
  text["use_bidirectional_attention"] = size.k_eq_v ? Json("vision") : Json();
  return wrap(std::move(text), size.unified, options);
}

Json drafter_config(const ReleasedSize& size, const SynthOptions& options) {
  const auto kinds = choose_kinds(options, 4, 4);
  Json text = common_text(options, kinds, size.unified);
  add_widths(text, size.drafter, options);
  add_context(text, size, options);
  text["num_kv_shared_layers"] = Json(text["num_hidden_layers"]);
  text["use_double_wide_mlp"] = false;
  text["final_logit_softcapping"] = nullptr;
  text["use_bidirectional_attention"] = nullptr;
  if (!size.unified) {
    text["hidden_size_per_layer_input"] = 0;
    text["vocab_size_per_layer_input"] = 0;
    text["enable_moe_block"] = false;
  }
  const std::size_t centroids = options.num_centroids.value_or(size.drafter.centroids);
  Json root =
      Json::Object{{"model_type", size.unified ? "gemma4_unified_assistant" : "gemma4_assistant"},
                   {"architectures", Json::Array{size.unified ? "Gemma4UnifiedAssistantForCausalLM"
                                                              : "Gemma4AssistantForCausalLM"}},
                   {"backbone_hidden_size", options.backbone_hidden_size.value_or(size.hidden)},
                   {"use_ordered_embeddings", centroids > 0},
                   {"tie_word_embeddings", true}};
  if (centroids > 0) {
    root["num_centroids"] = centroids;
    root["centroid_intermediate_top_k"] =
        options.centroid_intermediate_top_k.value_or(size.drafter.top_k);
  }
  root["text_config"] = std::move(text);
  return root;
}

const char* torch_dtype(DType dtype) {
  return dtype == DType::kBf16 ? "bfloat16" : dtype == DType::kF16 ? "float16" : "float32";
}

std::string finish(Json config, const SynthOptions& options) {
  config["dtype"] = torch_dtype(options.dtype);
  if (config.contains("text_config")) {
    config["text_config"]["dtype"] = torch_dtype(options.dtype);
  }
  return json_text(config, {.indent = 2, .sorted = true}) + "\n";
}

}  // namespace

std::vector<std::string> synthetic_sizes() {
  std::vector<std::string> names;
  for (const std::string_view ending : {std::string_view(), kDrafter}) {
    for (const ReleasedSize& size : released_sizes()) {
      names.push_back(std::string(size.name) + std::string(ending));
    }
  }
  return names;
}

std::string synthetic_config(std::string_view size, const SynthOptions& options) {
  if (options.encoders && options.form == SynthForm::kTextOnly) {
    throw Error("synth: form: got text-only, expected the multimodal form for encoders");
  }
  if (const ReleasedSize* released = find_size(size)) {
    Json config = model_config(*released, options);
    if (options.encoders) {
      add_encoder_configs(config, size, *options.encoders);
    }
    return finish(std::move(config), options);
  }
  if (size.ends_with(kDrafter)) {
    if (const auto* target = find_size(size.substr(0, size.size() - kDrafter.size()))) {
      return finish(drafter_config(*target, options), options);
    }
  }
  std::string known;
  for (const std::string& name : synthetic_sizes()) {
    known += (known.empty() ? "" : ", ") + name;
  }
  throw Error("synth: size: got \"" + printable(size) + "\", expected one of " + known);
}

}  // namespace assay
