// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/load_config.h"

#include <array>
#include <string>

#include "reference/family/base/directory.h"
#include "reference/family/config/config_keys.h"
#include "reference/family/config/load_processor_config.h"
#include "reference/family/config/parse_media_config.h"
#include "reference/family/config/parse_text_config.h"

namespace assay {
namespace {

struct ModelType {
  std::string_view name;
  std::string_view text_name;  // what text_config.model_type must be; empty: no text_config
  std::string_view weight_prefix;
  TextConfigKind kind;
};

constexpr std::array<ModelType, 6> kModelTypes = {{
    {"gemma4", "gemma4_text", "model.language_model.", {false, false}},
    {"gemma4_text", "", "model.", {false, false}},
    {"gemma4_unified", "gemma4_unified_text", "model.language_model.", {true, false}},
    {"gemma4_unified_text", "", "model.", {true, false}},
    {"gemma4_assistant", "gemma4_text", "model.", {false, true}},
    {"gemma4_unified_assistant", "gemma4_unified_text", "model.", {true, true}},
}};

const ModelType& find_model_type(const JsonObject& root) {
  const std::string name = root.text("model_type");
  std::string known;
  for (const ModelType& type : kModelTypes) {
    if (type.name == name) {
      return type;
    }
    known += (known.empty() ? "" : ", ") + std::string(type.name);
  }
  root.fail("model_type", "one of " + known);
}

DrafterConfig parse_drafter(const JsonObject& root, const TextConfig& text) {
  DrafterConfig drafter;
  drafter.backbone_hidden_size = root.integer("backbone_hidden_size", kWidthRange);
  drafter.use_ordered_embeddings = root.boolean_or("use_ordered_embeddings", false);
  if (!drafter.use_ordered_embeddings) {
    return drafter;
  }
  drafter.num_centroids = root.integer("num_centroids", {1, text.vocab_size});
  if (text.vocab_size % drafter.num_centroids != 0) {
    root.fail("num_centroids", "a divisor of the vocab_size " + std::to_string(text.vocab_size));
  }
  drafter.centroid_intermediate_top_k =
      root.integer("centroid_intermediate_top_k", {1, drafter.num_centroids});
  return drafter;
}

std::vector<std::int32_t> parse_suppressed(const JsonObject& root) {
  std::vector<std::int32_t> tokens;
  const Json::Array& values = root.array("suppress_tokens");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto token = values[i].unsigned_integer();
    if (!token || *token > kVocabRange.most) {
      root.fail_element("suppress_tokens", i, "a token id");
    }
    tokens.push_back(static_cast<std::int32_t>(*token));
  }
  return tokens;
}

// where no file says it, the unified model never samples its end-of-media tokens.
std::vector<std::int32_t> default_suppressed(const TextConfig& text) {
  std::vector<std::int32_t> tokens;
  for (const std::int32_t token : {text.special.eoa, text.special.eoi}) {
    if (token >= 0 && static_cast<std::size_t>(token) < text.vocab_size) {
      tokens.push_back(token);
    }
  }
  return tokens;
}

// The root decides, as in transformers, whatever its text_config says.
bool parse_tied(const JsonObject& root, const JsonObject& text, std::vector<std::string>& notes) {
  constexpr const char* kKey = "tie_word_embeddings";
  const bool tied = root.boolean_or(kKey, true);
  if (text.boolean_or(kKey, tied) != tied) {
    notes.push_back(text.complaint(
        kKey, std::string("the root's word, ") + (tied ? "true" : "false") + ", which counts"));
  }
  return tied;
}

ModelConfig parse_root(const JsonObject& root) {
  const ModelType& type = find_model_type(root);
  const bool nested = !type.text_name.empty();
  const JsonObject text = nested ? root.object("text_config") : root;
  if (nested && text.has("model_type") && text.text("model_type") != type.text_name) {
    text.fail("model_type", "\"" + std::string(type.text_name) + "\"");
  }
  ModelConfig config;
  config.tie_word_embeddings = parse_tied(root, text, config.notes);
  config.quantization = parse_quantization_config(root);
  for (const char* key : {"torch_dtype", "dtype"}) {
    if (root.has(key) && root.find(key)->is_string()) {
      config.dtype = root.text(key);
    }
  }
  if (root.has("transformers_weights")) {
    config.weights_file = root.text("transformers_weights");
  }
  config.model_type = type.name;
  config.weight_prefix = type.weight_prefix;
  config.text = parse_text_config(text, type.kind);
  if (type.kind.drafter) {
    config.drafter = parse_drafter(root, config.text);
  } else {
    parse_media_tokens(root, config.text.special);
    if (nested) {
      parse_media_config(root, type.kind.unified, config);
    }
    if (root.has("suppress_tokens")) {
      config.text.suppress_tokens = parse_suppressed(root);
    } else if (type.kind.unified) {
      config.text.suppress_tokens = default_suppressed(config.text);
    }
  }
  note_unknown_keys(root, type.kind.unified, config.notes);
  return config;
}

// NVIDIA's Model Optimizer says in a file of its own how it quantised.
QuantizationConfig load_modelopt_config(const std::filesystem::path& directory) {
  constexpr const char* kFile = "hf_quant_config.json";
  if (!std::filesystem::exists(directory / kFile)) {
    return {};
  }
  const Json document = parse_json_file(file_inside(directory, kFile), kFile, kMaxConfigBytes);
  QuantizationConfig config = parse_quantization_config(JsonObject(&document, kFile, ""));
  if (config.is_said()) {
    config.file = kFile;
    config.method = "modelopt";
    config.name = "modelopt, " + config.name;
  }
  return config;
}

}  // namespace

ModelConfig parse_config(std::string_view text, std::string_view label) {
  return parse_config_json(parse_json(text, label), label);
}

ModelConfig parse_config_json(const Json& document, std::string_view label) {
  return parse_root(JsonObject(&document, std::string(label), ""));
}

ModelConfig load_config(const std::filesystem::path& directory) {
  const Json document =
      parse_json_file(file_inside(directory, "config.json"), "config.json", kMaxConfigBytes);
  ModelConfig config = parse_root(JsonObject(&document, "config.json", ""));
  constexpr const char* kGeneration = "generation_config.json";
  if (std::filesystem::exists(directory / kGeneration)) {
    const Json generation =
        parse_json_file(file_inside(directory, kGeneration), kGeneration, kMaxConfigBytes);
    const JsonObject root(&generation, kGeneration, "");
    if (root.has("suppress_tokens")) {
      config.text.suppress_tokens = parse_suppressed(root);
    }
  }
  load_processor_config(directory, config);
  if (!config.quantization.is_said()) {
    config.quantization = load_modelopt_config(directory);
  }
  return config;
}

}  // namespace assay
