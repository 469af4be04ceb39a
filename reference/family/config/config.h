// SPDX-License-Identifier: Apache-2.0
// Every number of a Gemma 4 text model or drafter, after config.json has been read and checked.
//
// Field names are the checkpoint's own. What config.json says once for all layers of a kind is
// spelled out per layer here, so that nobody downstream needs the rules of spec text 1.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/family/config/media_config.h"
#include "reference/family/config/quantization_config.h"

namespace assay {

enum class LayerKind { kSliding, kFull };

struct RopeParameters {
  double rope_theta = 0;
  double partial_rotary_factor = 1.0;  // share of the head's channel pairs that rotate
};

struct LayerConfig {
  LayerKind kind = LayerKind::kSliding;
  std::size_t head_dim = 0;
  std::size_t num_key_value_heads = 0;
  std::size_t intermediate_size = 0;  // dense feed-forward width of this layer
  bool k_eq_v = false;                // the value is the raw key projection; no v_proj
  // The layer whose keys and values this one reads: itself, an earlier one, or nothing
  // of its own model (a drafter reads the target's).
  std::size_t kv_source = 0;
};

struct MoeConfig {
  std::size_t num_experts = 0;
  std::size_t top_k_experts = 0;
  std::size_t moe_intermediate_size = 0;
};

struct SpecialTokens {
  std::int32_t pad = 0;
  std::int32_t image = 258880;
  std::int32_t video = 258884;
  std::int32_t audio = 258881;
  std::int32_t boi = 255999;  // begin and end of an image or a video frame
  std::int32_t eoi = 258882;
  std::int32_t boa = 256000;  // begin and end of audio
  std::int32_t eoa = 258883;
};

struct TextConfig {
  std::size_t vocab_size = 0;
  std::size_t hidden_size = 0;
  std::size_t num_attention_heads = 0;
  double rms_norm_eps = 1e-6;
  std::size_t sliding_window = 0;
  std::size_t max_position_embeddings = 0;
  RopeParameters rope_sliding;
  RopeParameters rope_full;
  std::optional<double> final_logit_softcapping;
  bool vision_blocks = false;  // use_bidirectional_attention == "vision"

  std::size_t hidden_size_per_layer_input = 0;  // P; 0: no per-layer embeddings
  std::size_t vocab_size_per_layer_input = 0;
  std::size_t num_kv_shared_layers = 0;
  std::optional<MoeConfig> moe;
  SpecialTokens special;
  std::vector<std::int32_t>
      suppress_tokens;  // 12B: never sampled, never suppressed in logits

  std::vector<LayerConfig> layers;

  std::size_t num_hidden_layers() const { return layers.size(); }
  std::size_t first_kv_shared_layer() const { return layers.size() - num_kv_shared_layers; }
  bool shares_kv(std::size_t layer) const { return layer >= first_kv_shared_layer(); }
};

// A multi-token-prediction drafter ("assistant"): a text model without keys and values of its own.
struct DrafterConfig {
  std::size_t backbone_hidden_size = 0;  // B, the target's hidden_size
  bool use_ordered_embeddings = false;
  std::size_t num_centroids = 0;
  std::size_t centroid_intermediate_top_k = 0;
};

struct ModelConfig {
  std::string model_type;     // gemma4, gemma4_text, gemma4_assistant, …
  std::string weight_prefix;  // "model.language_model." or "model."
  TextConfig text;
  std::optional<DrafterConfig> drafter;
  bool tie_word_embeddings = true;  // false: lm_head.weight must be there
  std::string dtype;                // "bfloat16", as the config has it, or empty
  std::string weights_file;         // transformers_weights: not model.safetensors but this one
  QuantizationConfig quantization;

  // What the files hold weights for: an encoder that config.json names and whose tensors are all
  // absent is not there. At most one of vision and unified_vision, and of the two for audio.
  std::optional<VisionConfig> vision;
  std::optional<AudioConfig> audio;
  std::optional<UnifiedVisionConfig> unified_vision;
  std::optional<UnifiedAudioConfig> unified_audio;
  ProcessorConfig processor;

  // Warnings, a line each: keys that are not understood and could mean something.
  std::vector<std::string> notes;
};

}  // namespace assay
