// SPDX-License-Identifier: Apache-2.0
#include "reference/family/convert/gguf_model_keys.h"

#include <algorithm>
#include <array>

#include "reference/family/base/error.h"

namespace assay {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // of the block formats
constexpr std::uint32_t kImageSize = 224;          // a key that clip asks for and nobody uses
constexpr std::uint32_t kMelBins = 128;

struct FileType {
  std::string_view dtype;
  std::uint32_t number;
};

// general.file_type: what most matrices are.
constexpr FileType kFileTypes[] = {{"F32", 0}, {"F16", 1}, {"Q4_0", 2}, {"Q8_0", 7}, {"BF16", 32}};

std::uint32_t file_type(DType dtype) {
  for (const FileType& row : kFileTypes) {
    if (row.dtype == dtype_name(dtype)) {
      return row.number;
    }
  }
  throw Error("type: got " + std::string(dtype_name(dtype)) +
              ", expected one of F32, F16, BF16, Q8_0, Q4_0");
}

std::uint32_t as_uint32(std::size_t value) {
  return static_cast<std::uint32_t>(value);  // the config's limits are below
}

void add_general(const char* architecture, const char* type, const GgufNaming& naming,
                 GgufKeys& keys) {
  keys.add_string("general.architecture", architecture);
  keys.add_string("general.type", type);
  keys.add_string("general.name", naming.name);
  keys.add_uint32("general.file_type", file_type(naming.matrices));
  keys.add_uint32("general.quantization_version", kQuantizationVersion);
}

// Keys below one prefix.
class Section {
 public:
  Section(std::string prefix, GgufKeys& keys) : prefix_(std::move(prefix)), keys_(&keys) {}

  void integer(const char* key, std::size_t value) {
    keys_->add_uint32(prefix_ + key, as_uint32(value));
  }
  void number(const char* key, double value) { keys_->add_float32(prefix_ + key, value); }
  void text(const char* key, std::string_view value) { keys_->add_string(prefix_ + key, value); }
  void flags(const char* key, const std::vector<bool>& values) {
    keys_->add_bools(prefix_ + key, values);
  }
  void numbers(const char* key, std::span<const float> values) {
    keys_->add_float32s(prefix_ + key, values);
  }
  // One number where all are the same.
  void layers(const char* key, const std::vector<std::int32_t>& values) {
    const bool same = std::all_of(values.begin(), values.end(),
                                  [&](std::int32_t value) { return value == values.front(); });
    if (same) {
      integer(key, static_cast<std::size_t>(values.front()));
    } else {
      keys_->add_int32s(prefix_ + key, values);
    }
  }

 private:
  std::string prefix_;
  GgufKeys* keys_;
};

template <class Value>
std::vector<std::int32_t> of_layers(const TextConfig& text, Value value) {
  std::vector<std::int32_t> values;
  for (const LayerConfig& layer : text.layers) {
    values.push_back(static_cast<std::int32_t>(value(layer)));
  }
  return values;
}

// The head of the layers of a kind; where there are none, that of the other kind.
std::size_t head_dim(const TextConfig& text, LayerKind kind) {
  for (const LayerConfig& layer : text.layers) {
    if (layer.kind == kind) {
      return layer.head_dim;
    }
  }
  return text.layers.front().head_dim;
}

void add_attention(const TextConfig& text, Section& section) {
  std::vector<bool> sliding;
  for (const LayerConfig& layer : text.layers) {
    sliding.push_back(layer.kind == LayerKind::kSliding);
  }
  const std::size_t full = head_dim(text, LayerKind::kFull);
  const std::size_t narrow = head_dim(text, LayerKind::kSliding);
  section.integer("attention.head_count", text.num_attention_heads);
  section.layers("attention.head_count_kv", of_layers(text, [](const LayerConfig& layer) {
                   return layer.num_key_value_heads;
                 }));
  section.number("attention.layer_norm_rms_epsilon", text.rms_norm_eps);
  section.integer("attention.key_length", full);
  section.integer("attention.value_length", full);
  section.integer("attention.key_length_swa", narrow);
  section.integer("attention.value_length_swa", narrow);
  section.integer("attention.sliding_window", text.sliding_window);
  section.flags("attention.sliding_window_pattern", sliding);
  section.integer("attention.shared_kv_layers", text.num_kv_shared_layers);
  section.number("rope.freq_base", text.rope_full.rope_theta);
  section.number("rope.freq_base_swa", text.rope_sliding.rope_theta);
  section.integer("rope.dimension_count", full);  // rope_freqs says which of them rotate
  section.integer("rope.dimension_count_swa", narrow);
}

void add_text(const TextConfig& text, Section& section) {
  section.integer("block_count", text.num_hidden_layers());
  section.integer("context_length", text.max_position_embeddings);
  section.integer("embedding_length", text.hidden_size);
  section.integer("vocab_size", text.vocab_size);
  section.layers("feed_forward_length",
                 of_layers(text, [](const LayerConfig& layer) { return layer.intermediate_size; }));
  section.integer("embedding_length_per_layer_input", text.hidden_size_per_layer_input);
  if (text.final_logit_softcapping) {
    section.number("final_logit_softcapping", *text.final_logit_softcapping);
  }
  if (text.moe) {
    section.integer("expert_count", text.moe->num_experts);
    section.integer("expert_used_count", text.moe->top_k_experts);
    section.integer("expert_feed_forward_length", text.moe->moe_intermediate_size);
  }
}

void add_image(std::size_t text_width, const char* projector, double eps, Section& section) {
  section.integer("projection_dim", text_width);
  section.integer("image_size", kImageSize);
  section.numbers("image_mean", std::array{0.0f, 0.0f, 0.0f});
  section.numbers("image_std", std::array{1.0f, 1.0f, 1.0f});
  section.text("projector_type", projector);
  section.number("attention.layer_norm_epsilon", eps);
}

struct EncoderWidths {
  std::size_t width = 0;
  std::size_t ffn = 0;
  std::size_t layers = 0;
  std::size_t heads = 0;
};

void add_widths(const EncoderWidths& widths, Section& section) {
  section.integer("embedding_length", widths.width);
  section.integer("feed_forward_length", widths.ffn);
  section.integer("block_count", widths.layers);
  section.integer("attention.head_count", widths.heads);
}

void add_vision(const ModelConfig& config, GgufKeys& keys) {
  Section section("clip.vision.", keys);
  if (config.vision) {
    const VisionConfig& vision = *config.vision;
    section.integer("patch_size", vision.patch_size);
    section.integer("projector.scale_factor", vision.pooling_kernel_size);
    add_widths({vision.hidden_size, vision.intermediate_size, vision.num_hidden_layers,
                vision.num_attention_heads},
               section);
    add_image(config.text.hidden_size, "gemma4v", vision.rms_norm_eps, section);
  } else {
    section.integer("patch_size", config.unified_vision->patch_size);
    section.integer("projector.scale_factor", config.unified_vision->pooling_kernel_size);
    add_widths({config.unified_vision->mm_embed_dim, 0, 0, 0}, section);
    add_image(config.text.hidden_size, "gemma4uv", config.unified_vision->rms_norm_eps, section);
  }
}

void add_audio(const ModelConfig& config, GgufKeys& keys) {
  Section section("clip.audio.", keys);
  section.integer("projection_dim", config.text.hidden_size);
  section.integer("num_mel_bins", kMelBins);
  if (config.audio) {
    const AudioConfig& audio = *config.audio;
    add_widths({audio.hidden_size, 4 * audio.hidden_size, audio.num_hidden_layers,
                audio.num_attention_heads},
               section);
    section.text("projector_type", "gemma4a");
    section.number("attention.layer_norm_epsilon", audio.rms_norm_eps);
  } else {
    add_widths({config.unified_audio->audio_embed_dim, 0, 0, 0}, section);
    section.text("projector_type", "gemma4ua");
    section.number("attention.layer_norm_epsilon", config.unified_audio->rms_norm_eps);
  }
}

}  // namespace

void add_model_keys(const ModelConfig& config, const GgufNaming& naming, GgufKeys& keys) {
  const char* architecture = config.drafter ? "gemma4-assistant" : "gemma4";
  add_general(architecture, "model", naming, keys);
  Section section(std::string(architecture) + ".", keys);
  add_text(config.text, section);
  add_attention(config.text, section);
  if (config.drafter) {
    section.integer("embedding_length_out", config.drafter->backbone_hidden_size);
    section.integer("nextn_predict_layers", config.text.num_hidden_layers());
  }
}

void add_projector_keys(const ModelConfig& config, const GgufNaming& naming, GgufKeys& keys) {
  add_general("clip", "mmproj", naming, keys);
  const bool vision = config.vision || config.unified_vision;
  const bool audio = config.audio || config.unified_audio;
  if (vision) {
    keys.add_bool("clip.has_vision_encoder", true);
    add_vision(config, keys);
  }
  if (audio) {
    keys.add_bool("clip.has_audio_encoder", true);
    add_audio(config, keys);
  }
}

}  // namespace assay
