// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/vocabularies.h"

#include <filesystem>
#include <iostream>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"
#include "reference/family/checkpoint/checkpoint_files.h"
#include "reference/family/checkpoint/gguf_files.h"
#include "reference/family/tokenizer/load_tokenizer.h"

namespace assay::program {
namespace {

std::string text_of_file(const std::filesystem::path& path) {
  const MappedFile file = MappedFile::open(path, path.string());
  const auto bytes = file.bytes();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes to characters
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The checkpoint's own template and where it is; two empty strings where it has none.
std::pair<std::string, std::string> own_template(const std::filesystem::path& checkpoint) {
  if (is_gguf_checkpoint(checkpoint)) {
    constexpr const char* kKey = "tokenizer.chat_template";
    const GgufFiles files = open_gguf_heads(checkpoint);
    const GgufMetadata& metadata = files.model->metadata();
    return metadata.find(kKey) == nullptr
               ? std::pair<std::string, std::string>{}
               : std::pair(checkpoint.string() + ": " + kKey, metadata.text(kKey));
  }
  const auto path = checkpoint / "chat_template.jinja";
  return std::filesystem::exists(path) ? std::pair(path.string(), text_of_file(path))
                                       : std::pair<std::string, std::string>{};
}

// Names the generation of a checkpoint's own template when it is not the one that is rendered.
void tell_generation(const std::filesystem::path& checkpoint) {
  const auto [place, text] = own_template(checkpoint);
  if (place.empty()) {
    return;
  }
  const std::string generation = template_generation(text);
  if (generation != "V3") {
    std::cerr << "assay: " << place << ": got a template of generation " << generation
              << ", rendering V3 instead\n";
  }
}

// The sizes with per-layer embeddings, and no other, have the small template.
TemplateVariant variant_of_size(const std::filesystem::path& checkpoint) {
  const ModelConfig config = read_model_config(checkpoint);
  return config.text.hidden_size_per_layer_input > 0 ? TemplateVariant::kSmall
                                                     : TemplateVariant::kLarge;
}

}  // namespace

Tokenizer open_tokenizer(const std::string& checkpoint, const std::string& vocab) {
  if (!vocab.empty()) {
    return Tokenizer(read_any_tokenizer(vocab));
  }
  if (checkpoint.empty()) {
    throw Error("got neither --checkpoint nor --vocab, expected one of them");
  }
  return Tokenizer(read_checkpoint_tokenizer(checkpoint));
}

TemplateVariant open_variant(const std::string& name, const std::string& checkpoint) {
  if (name == "small" || name == "large") {
    return name == "small" ? TemplateVariant::kSmall : TemplateVariant::kLarge;
  }
  if (!name.empty()) {
    throw Error("--template: got '" + printable(name) + "', expected small or large");
  }
  if (checkpoint.empty()) {
    throw Error("got neither --checkpoint nor --template, expected one of them");
  }
  tell_generation(checkpoint);
  return variant_of_size(checkpoint);
}

}  // namespace assay::program
