// SPDX-License-Identifier: Apache-2.0
// The released sizes of the family and their drafters: every number that tells one from another.
// What they have in common stands in config.h, media_config.h and soft_tokens.h. The tables of
// docs/spec are compared with these rows by sizes_test.cc.  Spec: text 1.1, 3.1, multimodal 1.2.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace assay {

// A multi-token-prediction drafter: four layers that read the target's keys and values, with the
// target's heads of keys, window and positions.
struct ReleasedDrafter {
  std::size_t hidden = 0;
  std::size_t ffn = 0;
  std::size_t heads = 0;
  std::size_t centroids = 0;  // 0: dense head
  std::size_t top_k = 0;      // of them, active at a step
};

struct ReleasedVision {
  std::size_t hidden = 0;  // 0: no encoder, as in the 12B
  std::size_t ffn = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::size_t head_dim = 0;
  bool clipped = false;      // use_clipped_linears
  bool standardize = false;  // std_bias and std_scale
};

enum class ReleasedAudio { kNone, kEncoder, kUnified };

struct ReleasedSize {
  std::string_view name;          // as commands take it: "26b"
  std::string_view title;         // as texts write it: "26B-A4B"
  bool unified = false;           // gemma4_unified: no encoders, patches and samples are projected
  std::size_t layers = 0;         // num_hidden_layers
  std::size_t hidden = 0;         // hidden_size
  std::size_t ffn = 0;            // intermediate_size
  std::size_t heads = 0;          // num_attention_heads
  std::size_t kv_heads = 0;       // num_key_value_heads
  std::size_t full_kv_heads = 0;  // num_global_key_value_heads; 0: as on sliding layers
  std::size_t window = 0;         // sliding_window
  std::size_t period = 0;         // layers from one full layer to the next
  std::size_t ple = 0;            // hidden_size_per_layer_input
  std::size_t shared = 0;         // num_kv_shared_layers
  bool double_wide = false;       // use_double_wide_mlp
  bool k_eq_v = false;            // attention_k_eq_v, and vision blocks with it
  std::size_t experts = 0;
  std::size_t top_k = 0;         // experts a token goes to
  std::size_t expert_width = 0;  // moe_intermediate_size
  std::size_t positions = 0;     // max_position_embeddings
  ReleasedDrafter drafter;
  ReleasedVision vision;
  ReleasedAudio audio = ReleasedAudio::kNone;
};

std::span<const ReleasedSize> released_sizes();

// Null when no size has this name.
const ReleasedSize* find_size(std::string_view name);

// Names or titles with commas between, for help and messages: "e2b, e4b, 12b, 26b, 31b".
std::string size_names();
std::string size_titles(bool (*belongs)(const ReleasedSize&));

inline bool has_ple(const ReleasedSize& size) {
  return size.ple > 0;
}
inline bool has_experts(const ReleasedSize& size) {
  return size.experts > 0;
}
inline bool has_vision_encoder(const ReleasedSize& size) {
  return size.vision.hidden > 0;
}
inline bool has_audio_encoder(const ReleasedSize& size) {
  return size.audio == ReleasedAudio::kEncoder;
}

}  // namespace assay
