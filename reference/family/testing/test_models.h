// SPDX-License-Identifier: Apache-2.0
// For tests: the widths that the small synthetic models have in common, and their
// files with one thing changed.
#pragma once

#include <filesystem>
#include <vector>

#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/safetensors_writer.h"
#include "reference/family/synth/synth.h"

namespace assay {

inline SynthOptions tiny_widths() {
  SynthOptions options;
  options.vocab_size = 40;
  options.hidden_size = 16;
  options.num_attention_heads = 4;
  options.num_key_value_heads = 2;
  options.head_dim = 8;
  options.global_head_dim = 16;
  options.intermediate_size = 24;
  return options;
}

// Small encoders, of those that the size has.
inline SynthEncoders tiny_encoders(const std::string& size) {
  SynthEncoders encoders;
  encoders.vision_width = 24;
  encoders.vision_positions = 32;
  if (size != "12b") {
    encoders.vision_layers = 2;
    encoders.vision_heads = 2;
    encoders.vision_head_dim = 12;
    encoders.vision_ffn = 40;
  }
  if (size == "e2b" || size == "e4b") {
    encoders.audio_width = 16;
    encoders.audio_layers = 2;
    encoders.audio_heads = 2;
    encoders.audio_output = 12;
  }
  return encoders;
}

// Writes model.safetensors again, each tensor as `edit` leaves it; `edit` returns false to drop it.
template <class Edit>
void rewrite(const std::filesystem::path& path, Edit edit) {
  std::vector<StoredTensor> tensors;
  std::vector<std::vector<std::byte>> contents;
  {
    const auto file = Container::open(path / "model.safetensors");
    for (const StoredTensor& tensor : file.tensors()) {
      StoredTensor copy = tensor;
      const auto bytes = file.bytes(tensor);
      std::vector<std::byte> content(bytes.begin(), bytes.end());
      if (edit(copy, content)) {
        tensors.push_back(copy);
        contents.push_back(content);
      }
    }
  }
  std::filesystem::remove(path / "model.safetensors");
  SafetensorsWriter writer(path / "model.safetensors", tensors);
  for (const auto& content : contents) {
    writer.append(content);
  }
  writer.finish();
}

}  // namespace assay
