// SPDX-License-Identifier: Apache-2.0
// The config.json that the metadata of GGUF files stands for. It is then read as a config.json is,
// by the same rules (load_config.h).
//
//   config.json                          metadata of architecture A, or tensors
//   hidden_size, num_hidden_layers       A.embedding_length, A.block_count
//   layer_types                          A.attention.sliding_window_pattern (true: sliding)
//   head_dim, global_head_dim            A.attention.key_length_swa, A.attention.key_length
//   num_key_value_heads, …_global_…      A.attention.head_count_kv of sliding and of full layers
//   intermediate_size, double wide       A.feed_forward_length
//   attention_k_eq_v                     full layers with keys of their own have no attn_v
//   partial_rotary_factor                how many of rope_freqs are 1; the others are 1e30
//   vocab_size, …_per_layer_input        rows of token_embd, of per_layer_token_embd
//   use_bidirectional_attention          "vision" but for models with per-layer embeddings
//   vision_config, audio_config          clip.vision.*, clip.audio.* (Ollama: A.vision.*,
//   A.audio.*)
//
// The scale of attention, 1, and the activation are no keys. final_logit_softcapping is 30 and
// rope.freq_base_swa 10000 where absent, as llama.cpp has it.
#pragma once

#include <functional>
#include <string_view>

#include "reference/family/base/json.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/gguf_files.h"

namespace assay {

struct FoundTensor {
  const Container* file = nullptr;
  const StoredTensor* tensor = nullptr;  // null: there is none
};
using FindTensor = std::function<FoundTensor(std::string_view name)>;

// Throws an Error that names the key, or the architecture where it is no Gemma 4's.
Json gguf_config(const GgufFiles& files, const FindTensor& find);

}  // namespace assay
