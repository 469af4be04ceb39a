// SPDX-License-Identifier: Apache-2.0
#include "reference/family/sampling/generation_config.h"

#include <algorithm>
#include <set>

#include "reference/family/base/json_object.h"
#include "reference/family/checkpoint/gguf_files.h"
#include "reference/family/tokenizer/vocabulary.h"

namespace assay {
namespace {

constexpr IntegerRange kIds{0, (1u << 31) - 1};
constexpr double kNoLimit = 1e30;

// One id or a list of them.
void add_ids(const JsonObject& object, const char* key, std::set<std::int32_t>& ids) {
  const Json* value = object.find(key);
  if (value == nullptr || value->is_null()) {
    return;
  }
  if (!value->is_array()) {
    ids.insert(static_cast<std::int32_t>(object.integer(key, kIds)));
    return;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    const auto id = value->array()[i].unsigned_integer();
    if (!id || *id > kIds.most) {
      object.fail_element(key, i, "a token id");
    }
    ids.insert(static_cast<std::int32_t>(*id));
  }
}

void read_sampling(const JsonObject& root, SamplingOptions& sampling) {
  if (!root.boolean_or("do_sample", false)) {
    sampling.temperature = 0;
    return;
  }
  sampling.temperature = root.number_or("temperature", {-1e-300, kNoLimit}, 1.0);
  sampling.top_k = root.integer_or("top_k", {0, 1u << 24}, sampling.top_k);
  sampling.top_p = root.number_or("top_p", {0, 1.0000001}, sampling.top_p);
}

// tokenizer.ggml.* and general.sampling.*, which llama.cpp's converter takes from
// generation_config.json.
GenerationConfig read_gguf_generation(const GgufMetadata& metadata) {
  GenerationConfig config;
  SamplingOptions& sampling = config.sampling;
  sampling.temperature = metadata.number_or("general.sampling.temp", 0);
  sampling.top_k = metadata.integer_or("general.sampling.top_k", sampling.top_k);
  sampling.top_p = metadata.number_or("general.sampling.top_p", sampling.top_p);
  std::set<std::int32_t> stop;
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    if (metadata.find(key) != nullptr && metadata.integer(key) <= kIds.most) {
      stop.insert(static_cast<std::int32_t>(metadata.integer(key)));
    }
  }
  config.stop.assign(stop.begin(), stop.end());
  constexpr const char* kSuppress = "tokenizer.ggml.suppress_tokens";
  if (metadata.find(kSuppress) != nullptr) {
    for (const std::uint64_t id : metadata.integers(kSuppress, kMaxVocabulary)) {
      sampling.suppress.push_back(static_cast<std::int32_t>(std::min(id, kIds.most)));
    }
  }
  return config;
}

}  // namespace

GenerationConfig read_generation_config(const std::filesystem::path& checkpoint) {
  if (is_gguf_checkpoint(checkpoint)) {
    return read_gguf_generation(open_gguf_heads(checkpoint).model->metadata());
  }
  GenerationConfig config;
  config.sampling.temperature = 0;
  std::set<std::int32_t> stop;
  std::set<std::int32_t> suppress;
  const auto generation = checkpoint / "generation_config.json";
  if (std::filesystem::exists(generation)) {
    const Json document = parse_json_file(generation, generation.string(), kMaxConfigBytes);
    const JsonObject root(&document, generation.string(), "");
    read_sampling(root, config.sampling);
    add_ids(root, "eos_token_id", stop);
    add_ids(root, "suppress_tokens", suppress);
  }
  const auto model = checkpoint / "config.json";
  if (std::filesystem::exists(model)) {
    const Json document = parse_json_file(model, model.string(), kMaxConfigBytes);
    const JsonObject root(&document, model.string(), "");
    add_ids(root, "eos_token_id", stop);
    if (root.has("text_config")) {
      add_ids(root.object("text_config"), "eos_token_id", stop);
    }
  }
  config.stop.assign(stop.begin(), stop.end());
  config.sampling.suppress.assign(suppress.begin(), suppress.end());
  return config;
}

}  // namespace assay
