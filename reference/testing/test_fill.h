// SPDX-License-Identifier: Apache-2.0
// For tests: what the encoder miniatures share: tensors in closed form (spec multimodal A.1) and
// the text half of their config.json.
//
//   a = (k * 2654435761 + seed * 40503 + 12345) mod 2^32        k: row-major index
//   a = a ^ (a >> 15),  a = a * 2246822519 mod 2^32,  a = a ^ (a >> 13)
//   value = fp32( offset + scale * ( 2 * (a >> 8) / 2^24 - 1 ) )
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/family/testing/test_signals.h"

namespace assay {

inline std::vector<float> filled(std::uint32_t seed, std::size_t count, double scale,
                                 double offset = 0) {
  std::vector<float> values;
  values.reserve(count);
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint32_t a = hashed(seed, static_cast<std::uint32_t>(k));
    const double unit = 2 * static_cast<double>(a >> 8) / 16777216.0 - 1;
    values.push_back(static_cast<float>(offset + scale * unit));
  }
  return values;
}

// One small layer, which no test of an encoder runs.
inline std::string miniature_text(std::size_t hidden_size) {
  return R"("text_config": {
  "model_type": "gemma4_text", "vocab_size": 8, "intermediate_size": 4,
  "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 4,
  "global_head_dim": 8, "layer_types": ["full_attention"], "rms_norm_eps": 1e-6,
  "sliding_window": 4, "max_position_embeddings": 64, "num_kv_shared_layers": 0,
  "hidden_activation": "gelu_pytorch_tanh", "attention_k_eq_v": false,
  "use_double_wide_mlp": false, "hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": 8,
  "enable_moe_block": false, "tie_word_embeddings": true,
  "rope_parameters": {
   "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
   "full_attention": {"rope_type": "proportional", "rope_theta": 1000000.0,
                      "partial_rotary_factor": 0.25}},
  "hidden_size": )" +
         std::to_string(hidden_size) + "}";
}

}  // namespace assay
