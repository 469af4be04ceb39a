// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/hugging_face_names.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "reference/family/checkpoint/tensor_table.h"

namespace assay {
namespace {

constexpr std::string_view kModel = "model.";

// transformers' own name of a part of the 12B, and the released one.
constexpr std::pair<std::string_view, std::string_view> kUnifiedNames[] = {
    {"embed_vision.patch_ln1", "vision_embedder.patch_ln1"},
    {"embed_vision.patch_dense", "vision_embedder.patch_dense"},
    {"embed_vision.patch_ln2", "vision_embedder.patch_ln2"},
    {"embed_vision.pos_embedding", "vision_embedder.pos_embedding"},
    {"embed_vision.pos_norm", "vision_embedder.pos_norm"},
    {"embed_vision.multimodal_embedder.embedding_projection", "embed_vision.embedding_projection"},
};

std::string_view module_of(std::string_view name) {
  return name.substr(0, std::min(name.rfind('.'), name.size()));
}

// "12" of "12.self_attn…"; nothing where no number stands there.
std::optional<std::size_t> leading_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = problem == std::errc() && end != text.data() + text.size() && *end == '.';
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

HuggingFaceNames::HuggingFaceNames(const ModelConfig& config)
    : unified_(config.model_type.starts_with("gemma4_unified")),
      layers_(config.weight_prefix + "layers."),
      first_shared_(config.text.first_kv_shared_layer()) {
  for (const ExpectedTensor& tensor : expected_tensors(config)) {
    modules_.emplace(module_of(stored_name(config, tensor.name)));
  }
  modules_.emplace(module_of(kHeadName));
}

std::string HuggingFaceNames::canonical(std::string_view stored) const {
  std::string name(stored);
  if (unified_) {
    for (const auto& [own, released] : kUnifiedNames) {
      if (const std::size_t at = name.find(own); at != std::string::npos) {
        name.replace(at, own.size(), released);
        break;
      }
    }
  }
  if (name.starts_with(kModel)) {
    std::string bare = name.substr(kModel.size());
    if (modules_.contains(module_of(bare))) {
      return bare;
    }
  }
  std::string prefixed = std::string(kModel) + name;
  return modules_.contains(module_of(prefixed)) ? prefixed : name;
}

bool HuggingFaceNames::is_ignored(std::string_view canonical) const {
  if (canonical.find("rotary_emb.inv_freq") != std::string_view::npos) {
    return true;
  }
  if (!canonical.starts_with(layers_)) {
    return false;
  }
  const std::string_view rest = canonical.substr(layers_.size());
  const auto layer = leading_number(rest);
  if (!layer || *layer < first_shared_) {
    return false;
  }
  const std::string_view part = rest.substr(rest.find('.') + 1);
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"self_attn.k_proj", "self_attn.v_proj",
                                              "self_attn.k_norm", "self_attn.v_norm"},
      [part](std::string_view name) { return part.starts_with(name); });
}

void take_text_names(std::span<const std::string> stored, ModelConfig& config) {
  const auto begins = [stored](std::string_view beginning) {
    return std::ranges::any_of(
        stored, [beginning](const std::string& name) { return name.starts_with(beginning); });
  };
  const bool composite = config.weight_prefix != kModel;
  if (!composite || !(begins("model.layers.") || begins("layers."))) {
    return;
  }
  config.weight_prefix = kModel;
  config.vision.reset();
  config.audio.reset();
  config.unified_vision.reset();
  config.unified_audio.reset();
}

}  // namespace assay
