// SPDX-License-Identifier: Apache-2.0
// For tests: a model of two layers in GGUF, to be changed one key or tensor at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reference/family/testing/test_gguf.h"

namespace assay {

struct GgufTensorValues {
  std::vector<std::uint64_t> shape;  // row-major, as in Hugging Face's files
  std::vector<float> values;
};

// Width 4, two query heads; layer 0 slides (one key head of 2), layer 1 is full (one of 4, half of
// whose channel pairs rotate). All weights are in F32, element i of a tensor is first + i / 8.
class GgufModel {
 public:
  GgufModel() {
    text("general.architecture", "gemma4");
    integer("gemma4.block_count", 2);
    integer("gemma4.context_length", 64);
    integer("gemma4.embedding_length", 4);
    integer("gemma4.feed_forward_length", 6);
    integer("gemma4.attention.head_count", 2);
    integer("gemma4.attention.head_count_kv", 1);
    integer("gemma4.attention.key_length", 4);
    integer("gemma4.attention.key_length_swa", 2);
    integer("gemma4.attention.sliding_window", 8);
    integers("gemma4.attention.sliding_window_pattern", {1, 0});
    real("gemma4.attention.layer_norm_rms_epsilon", 1e-6F);
    real("gemma4.rope.freq_base", 1e6F);
    tensor("token_embd.weight", {10, 4});
    tensor("output_norm.weight", {4});
    tensors["rope_freqs.weight"] = {{2}, {1, 1e30F}};
    for (std::uint64_t layer = 0; layer < 2; ++layer) {
      add_layer("blk." + std::to_string(layer) + ".", layer == 0 ? 2 : 4);
    }
  }

  void text(const std::string& key, const std::string& value) {
    keys[key] = GgufFile(0).key(key, GgufFile::kString).string(value).text().substr(kHead);
  }
  void integer(const std::string& key, std::uint32_t value) {
    keys[key] = GgufFile(0).key(key, GgufFile::kUint32).number(value).text().substr(kHead);
  }
  void integers(const std::string& key, const std::vector<std::uint32_t>& values) {
    GgufFile file(0);
    file.key(key, GgufFile::kArray).array(GgufFile::kUint32, values.size());
    for (const std::uint32_t value : values) {
      file.number(value);
    }
    keys[key] = file.text().substr(kHead);
  }
  void real(const std::string& key, float value) {
    keys[key] = GgufFile(0)
                    .key(key, GgufFile::kFloat32)
                    .number(std::bit_cast<std::uint32_t>(value))
                    .text()
                    .substr(kHead);
  }
  void tensor(const std::string& name, const std::vector<std::uint64_t>& shape, float first = 1) {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) {
      count *= extent;
    }
    GgufTensorValues& added = tensors[name] = {shape, {}};
    for (std::uint64_t i = 0; i < count; ++i) {
      added.values.push_back(first + static_cast<float>(i) / 8);
    }
  }

  std::string file() const {
    GgufFile file(keys.size(), 3, tensors.size());
    for (const auto& [name, bytes] : keys) {
      file.bytes(bytes);
    }
    std::string data;
    for (const auto& [name, tensor] : tensors) {
      file.tensor(name, {tensor.shape.rbegin(), tensor.shape.rend()}, 0, data.size());
      for (const float value : tensor.values) {
        data += GgufFile(0).number(std::bit_cast<std::uint32_t>(value)).text().substr(kHead);
      }
      data.resize((data.size() + 31) / 32 * 32);
    }
    return file.pad(32).bytes(data).text();
  }

  std::map<std::string, std::string> keys;  // with their values, as in the file
  std::map<std::string, GgufTensorValues> tensors;

 private:
  static constexpr std::size_t kHead = 24;  // bytes before the first key

  void add_layer(const std::string& block, std::uint64_t head_dim) {
    for (const char* norm : {"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"}) {
      tensor(block + norm + ".weight", {4});
    }
    tensor(block + "attn_q.weight", {2 * head_dim, 4});
    tensor(block + "attn_k.weight", {head_dim, 4}, 2);
    tensor(block + "attn_v.weight", {head_dim, 4}, 3);
    tensor(block + "attn_output.weight", {4, 2 * head_dim});
    tensor(block + "attn_q_norm.weight", {head_dim});
    tensor(block + "attn_k_norm.weight", {head_dim});
    tensor(block + "ffn_gate.weight", {6, 4});
    tensor(block + "ffn_up.weight", {6, 4});
    tensor(block + "ffn_down.weight", {4, 6});
    tensor(block + "layer_output_scale.weight", {1});
  }
};

}  // namespace assay
