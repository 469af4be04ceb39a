// SPDX-License-Identifier: Apache-2.0
#include "reference/family/convert/companions.h"

#include <algorithm>

#include "reference/family/base/json_object.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/base/new_file.h"
#include "reference/family/checkpoint/gguf_files.h"
#include "reference/family/convert/gguf_tokenizer_keys.h"
#include "reference/family/tokenizer/load_tokenizer.h"
#include "reference/family/tokenizer/write_tokenizer.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTemplate = "tokenizer.chat_template";
constexpr const char* kTopK = "general.sampling.top_k";
constexpr const char* kTopP = "general.sampling.top_p";
constexpr const char* kTemperature = "general.sampling.temp";

constexpr std::string_view kEnds[] = {"<eos>", "<turn|>", "<|tool_response>"};

std::string text_of_file(const fs::path& path) {
  const MappedFile file = MappedFile::open(path, path.string());
  const auto bytes = file.bytes();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes to characters
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A file of its own, or, in older directories, a string of tokenizer_config.json.
std::string template_of_directory(const fs::path& directory) {
  const fs::path own = directory / "chat_template.jinja";
  if (fs::exists(own)) {
    return text_of_file(own);
  }
  const fs::path config = directory / "tokenizer_config.json";
  if (fs::exists(config)) {
    const Json document = parse_json_file(config, config.string(), kMaxConfigBytes);
    const Json* text = document.find("chat_template");
    if (text != nullptr && text->is_string()) {
      return text->string();
    }
  }
  return "";
}

Companions companions_of_directory(const fs::path& directory) {
  Companions companions;
  if (fs::exists(directory / "tokenizer.json")) {
    companions.vocabulary = read_checkpoint_tokenizer(directory);
  }
  companions.chat_template = template_of_directory(directory);
  if (fs::exists(directory / "generation_config.json")) {
    const SamplingOptions sampling = read_generation_config(directory).sampling;
    if (sampling.temperature > 0) {
      companions.sampling = sampling;
    }
  }
  return companions;
}

std::optional<SamplingOptions> sampling_of(const GgufMetadata& metadata) {
  SamplingOptions sampling;
  bool found = false;
  if (metadata.find(kTemperature) != nullptr) {
    sampling.temperature = metadata.number(kTemperature);
    found = true;
  }
  if (metadata.find(kTopP) != nullptr) {
    sampling.top_p = metadata.number(kTopP);
    found = true;
  }
  if (metadata.find(kTopK) != nullptr) {
    sampling.top_k = metadata.integer_or(kTopK, 0);
    found = true;
  }
  return found ? std::optional(sampling) : std::nullopt;
}

Companions companions_of_file(const fs::path& checkpoint) {
  const GgufFiles files = open_gguf_heads(checkpoint);
  const GgufMetadata& metadata = files.model->metadata();
  Companions companions;
  if (metadata.find("tokenizer.ggml.tokens") != nullptr) {
    companions.vocabulary = read_gguf_tokenizer(files.model->path());
  }
  if (metadata.find(kTemplate) != nullptr) {
    companions.chat_template = metadata.text(kTemplate);
  }
  companions.sampling = sampling_of(metadata);
  return companions;
}

// Of the first of the tokens; nothing where there is none.
std::optional<std::size_t> id_of(const Vocabulary& vocabulary, std::string_view token) {
  const auto found = std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token);
  return found == vocabulary.tokens.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(found - vocabulary.tokens.begin()));
}

std::string generation_text(const Companions& companions) {
  Json root = Json::Object{};
  if (companions.sampling) {
    root["do_sample"] = true;
    root["temperature"] = companions.sampling->temperature;
    root["top_k"] = companions.sampling->top_k;
    root["top_p"] = companions.sampling->top_p;
  }
  if (companions.vocabulary) {
    Json::Array ends;
    for (const std::string_view token : kEnds) {
      if (const auto id = id_of(*companions.vocabulary, token)) {
        ends.emplace_back(*id);
      }
    }
    root["eos_token_id"] = std::move(ends);
    for (const auto& [key, token] :
         {std::pair("bos_token_id", "<bos>"), {"pad_token_id", "<pad>"}}) {
      if (const auto id = id_of(*companions.vocabulary, token)) {
        root[key] = *id;
      }
    }
  }
  return json_text(root, {.indent = 2}) + "\n";
}

}  // namespace

Companions read_companions(const fs::path& checkpoint) {
  return is_gguf_checkpoint(checkpoint) ? companions_of_file(checkpoint)
                                        : companions_of_directory(checkpoint);
}

void add_companion_keys(const Companions& companions, std::size_t rows, GgufKeys& keys) {
  if (companions.sampling) {
    keys.add_int32(kTopK, static_cast<std::int32_t>(companions.sampling->top_k));
    keys.add_float32(kTopP, companions.sampling->top_p);
    keys.add_float32(kTemperature, companions.sampling->temperature);
  }
  if (companions.vocabulary) {
    add_tokenizer_keys(*companions.vocabulary, rows, keys);
  } else {
    add_no_tokenizer(keys);
  }
  if (!companions.chat_template.empty()) {
    keys.add_string(kTemplate, companions.chat_template);
  }
}

void write_companion_files(const Companions& companions, const fs::path& directory) {
  if (companions.vocabulary) {
    write_text(directory / "tokenizer.json", tokenizer_json_text(*companions.vocabulary));
    write_text(directory / "tokenizer_config.json", tokenizer_config_text(*companions.vocabulary));
  }
  if (companions.vocabulary || companions.sampling) {
    write_text(directory / "generation_config.json", generation_text(companions));
  }
  if (!companions.chat_template.empty()) {
    write_text(directory / "chat_template.jinja", companions.chat_template);
  }
}

}  // namespace assay
