// SPDX-License-Identifier: Apache-2.0
// For tests: whether two configs are the same, field by field. What a config says of the form of
// its files, its quantisation and its warnings, does not count.
#pragma once

#include <tuple>

#include "reference/family/config/config.h"

namespace assay {

inline auto fields(const RopeParameters& rope) {
  return std::tie(rope.rope_theta, rope.partial_rotary_factor);
}

inline auto fields(const LayerConfig& layer) {
  return std::tie(layer.kind, layer.head_dim, layer.num_key_value_heads, layer.intermediate_size,
                  layer.k_eq_v, layer.kv_source);
}

inline auto fields(const MoeConfig& moe) {
  return std::tie(moe.num_experts, moe.top_k_experts, moe.moe_intermediate_size);
}

inline auto fields(const SpecialTokens& s) {
  return std::tie(s.pad, s.image, s.video, s.audio, s.boi, s.eoi, s.boa, s.eoa);
}

inline auto fields(const DrafterConfig& drafter) {
  return std::tie(drafter.backbone_hidden_size, drafter.use_ordered_embeddings,
                  drafter.num_centroids, drafter.centroid_intermediate_top_k);
}

inline auto fields(const VisionConfig& v) {
  return std::tie(v.hidden_size, v.intermediate_size, v.num_hidden_layers, v.num_attention_heads,
                  v.head_dim, v.rms_norm_eps, v.rope_theta, v.patch_size, v.pooling_kernel_size,
                  v.position_embedding_size, v.use_clipped_linears, v.standardize);
}

inline auto fields(const AudioConfig& a) {
  return std::tie(a.hidden_size, a.num_hidden_layers, a.num_attention_heads,
                  a.subsampling_conv_channels, a.conv_kernel_size, a.residual_weight,
                  a.attention_chunk_size, a.attention_context_left, a.attention_context_right,
                  a.attention_logit_cap, a.attention_invalid_logits_value, a.use_clipped_linears,
                  a.rms_norm_eps, a.gradient_clipping, a.output_proj_dims);
}

inline auto fields(const UnifiedVisionConfig& v) {
  return std::tie(v.patch_size, v.pooling_kernel_size, v.mm_embed_dim, v.mm_posemb_size,
                  v.rms_norm_eps);
}

inline auto fields(const UnifiedAudioConfig& a) {
  return std::tie(a.audio_embed_dim, a.rms_norm_eps);
}

inline auto fields(const ProcessorConfig& p) {
  return std::tie(p.image_max_soft_tokens, p.video_max_soft_tokens, p.num_frames);
}

// Of two structs, or of two that may be absent.
template <class Config>
bool same(const Config& a, const Config& b) {
  return fields(a) == fields(b);
}

template <class Config>
bool same(const std::optional<Config>& a, const std::optional<Config>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}

inline bool same(const TextConfig& a, const TextConfig& b) {
  const auto numbers = [](const TextConfig& t) {
    return std::tie(t.vocab_size, t.hidden_size, t.num_attention_heads, t.rms_norm_eps,
                    t.sliding_window, t.max_position_embeddings, t.final_logit_softcapping,
                    t.vision_blocks, t.hidden_size_per_layer_input, t.vocab_size_per_layer_input,
                    t.num_kv_shared_layers, t.suppress_tokens);
  };
  bool layers = a.layers.size() == b.layers.size();
  for (std::size_t i = 0; layers && i < a.layers.size(); ++i) {
    layers = same(a.layers[i], b.layers[i]);
  }
  return layers && numbers(a) == numbers(b) && same(a.rope_sliding, b.rope_sliding) &&
         same(a.rope_full, b.rope_full) && same(a.moe, b.moe) && same(a.special, b.special);
}

inline bool same(const ModelConfig& a, const ModelConfig& b) {
  return a.model_type == b.model_type && a.weight_prefix == b.weight_prefix &&
         a.tie_word_embeddings == b.tie_word_embeddings && same(a.text, b.text) &&
         same(a.drafter, b.drafter) && same(a.vision, b.vision) && same(a.audio, b.audio) &&
         same(a.unified_vision, b.unified_vision) && same(a.unified_audio, b.unified_audio) &&
         same(a.processor, b.processor);
}

}  // namespace assay
