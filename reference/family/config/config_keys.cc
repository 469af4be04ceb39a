// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/config_keys.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace assay {
namespace {

using Keys = std::span<const std::string_view>;

// clang-format off
// Names, tokens of files, training, sampling, and what a library writes for itself.
constexpr std::string_view kInert[] = {
    "_attn_implementation", "_commit_hash", "_name_or_path", "architectures", "attention_dropout",
    "attn_implementation", "bad_words_ids", "begin_suppress_tokens", "bos_token_id",
    "chunk_size_feed_forward", "decoder_start_token_id", "diversity_penalty", "do_sample",
    "dtype", "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id",
    "exponential_decay_length_penalty", "finetuning_task", "forced_bos_token_id",
    "forced_eos_token_id", "id2label", "initializer_range", "is_decoder", "is_encoder_decoder",
    "label2id", "length_penalty", "max_length", "min_length", "model_name", "model_type",
    "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences",
    "output_attentions", "output_hidden_states", "output_scores", "pad_token_id", "prefix",
    "problem_type", "remove_invalid_values", "repetition_penalty", "return_dict",
    "return_dict_in_generate", "sep_token_id", "task_specific_params", "temperature",
    "tf_legacy_loss", "tie_encoder_decoder", "tie_word_embeddings", "tokenizer_class", "top_k",
    "top_p", "torch_dtype", "torchscript", "transformers_version", "typical_p", "unsloth_fixed",
    "unsloth_version", "use_bfloat16", "use_cache",
};

constexpr std::string_view kRoot[] = {
    "text_config", "vision_config", "audio_config", "boi_token_id", "eoi_token_id",
    "image_token_id", "video_token_id", "boa_token_id", "eoa_token_id", "eoa_token_index",
    "audio_token_id", "suppress_tokens", "backbone_hidden_size", "use_ordered_embeddings",
    "num_centroids", "centroid_intermediate_top_k", "transformers_weights", "quantization_config",
    "compression_config", "quantization", "vision_soft_tokens_per_image",
};

constexpr std::string_view kText[] = {
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "num_global_key_value_heads", "head_dim", "global_head_dim",
    "per_layer_config", "hidden_activation", "max_position_embeddings", "rms_norm_eps",
    "rope_parameters", "rope_scaling", "attention_bias", "attn_logit_softcapping",
    "sliding_window", "layer_types", "sliding_window_pattern", "final_logit_softcapping",
    "use_bidirectional_attention", "attention_k_eq_v", "num_kv_shared_layers",
    "use_double_wide_mlp", "vocab_size_per_layer_input", "hidden_size_per_layer_input",
    "enable_moe_block", "num_experts", "top_k_experts", "moe_intermediate_size",
    "quantization_config", "suppress_tokens",
};

constexpr std::string_view kVision[] = {
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "head_dim", "global_head_dim", "hidden_activation", "rms_norm_eps",
    "max_position_embeddings", "attention_bias", "rope_parameters", "rope_scaling", "rope_theta",
    "pooling_kernel_size", "patch_size", "position_embedding_size", "default_output_length",
    "use_clipped_linears", "standardize",
};

constexpr std::string_view kAudio[] = {
    "hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act",
    "subsampling_conv_channels", "conv_kernel_size", "residual_weight", "attention_chunk_size",
    "attention_context_left", "attention_context_right", "attention_logit_cap",
    "attention_invalid_logits_value", "use_clipped_linears", "rms_norm_eps", "gradient_clipping",
    "output_proj_dims",
};

constexpr std::string_view kUnifiedVision[] = {
    "patch_size", "pooling_kernel_size", "model_patch_size", "mm_embed_dim", "output_proj_dims",
    "mm_posemb_size", "rms_norm_eps", "num_soft_tokens",
};

constexpr std::string_view kUnifiedAudio[] = {
    "audio_embed_dim", "audio_samples_per_token", "hidden_size", "output_proj_dims",
    "rms_norm_eps",
};
// clang-format on

constexpr std::string_view kRope[] = {"rope_type", "rope_theta", "partial_rotary_factor", "factor"};

bool contains(Keys keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool says_nothing(const Json& value) {
  const bool container = value.is_array() || value.is_object();
  return value.is_null() || (container && value.size() == 0);
}

class Notes {
 public:
  explicit Notes(std::vector<std::string>& lines) : lines_(&lines) {}

  void unknown_keys(const JsonObject& object, Keys known, Keys also = {}) {
    for (const auto& [key, value] : object.value().object()) {
      if (says_nothing(value) || contains(known, key) || contains(also, key) ||
          contains(kInert, key)) {
        continue;
      }
      add(object.complaint(key, "no such key in a Gemma 4: it is not used"));
    }
  }

 private:
  void add(std::string line) {
    if (lines_->size() < kMostNotes) {
      lines_->push_back(std::move(line));
    }
  }

  std::vector<std::string>* lines_;
};

// The rotations of the layers' kinds, and keys beside them.
void note_ropes(const JsonObject& text, Notes& notes) {
  const JsonObject ropes = text.object("rope_parameters");
  constexpr std::string_view kKinds[] = {"sliding_attention", "full_attention"};
  notes.unknown_keys(ropes, kKinds);
  for (const std::string_view kind : kKinds) {
    notes.unknown_keys(ropes.object(kind), kRope);
  }
}

}  // namespace

void note_unknown_keys(const JsonObject& root, bool unified, std::vector<std::string>& lines) {
  Notes notes(lines);
  const bool nested = root.has("text_config");
  const JsonObject text = nested ? root.object("text_config") : root;
  notes.unknown_keys(root, kRoot, nested ? Keys() : Keys(kText));
  if (nested) {
    notes.unknown_keys(text, kText);
  }
  note_ropes(text, notes);
  if (root.has("vision_config")) {
    const JsonObject vision = root.object("vision_config");
    notes.unknown_keys(vision, unified ? Keys(kUnifiedVision) : Keys(kVision));
    if (vision.has("rope_parameters")) {
      notes.unknown_keys(vision.object("rope_parameters"), kRope);
    }
  }
  if (root.has("audio_config")) {
    notes.unknown_keys(root.object("audio_config"), unified ? Keys(kUnifiedAudio) : Keys(kAudio));
  }
}

}  // namespace assay
