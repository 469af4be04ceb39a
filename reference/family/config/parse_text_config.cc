// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/parse_text_config.h"

#include <string>

#include "reference/family/config/parse_layer_config.h"

namespace assay {
namespace {

constexpr NumberRange kEpsRange{0.0, 1.0};
constexpr NumberRange kThetaRange{1.0, 1e12};
constexpr NumberRange kCapRange{0.0, 1e30};

// Keys that would change the function, and that no Gemma 4 sets otherwise.
void check_fixed_keys(const JsonObject& text) {
  text.expect("hidden_activation", "gelu_pytorch_tanh");
  text.expect("attention_bias", false);
  text.expect("attn_logit_softcapping", nullptr);
}

double rotary_factor(const JsonObject& entry) {
  const double factor = entry.number("partial_rotary_factor", {0.0, 2.0});
  if (factor > 1.0) {
    entry.fail("partial_rotary_factor", "a number above 0 and at most 1");
  }
  return factor;
}

RopeParameters parse_rope(const JsonObject& entry, std::string_view rope_type) {
  if (entry.text("rope_type") != rope_type) {
    entry.fail("rope_type", "\"" + std::string(rope_type) + "\"");
  }
  entry.expect("factor", 1.0);
  return {entry.number("rope_theta", kThetaRange), 1.0};
}

void parse_ropes(const JsonObject& text, TextConfig& config) {
  const JsonObject ropes = text.object("rope_parameters");
  // transformers puts the old key, where it is there, in the place of the new one.
  if (text.has("rope_scaling") && *text.find("rope_scaling") != ropes.value()) {
    text.fail("rope_scaling", "rope_parameters alone");
  }
  const JsonObject sliding = ropes.object("sliding_attention");
  config.rope_sliding = parse_rope(sliding, "default");
  sliding.expect("partial_rotary_factor", 1.0);
  const JsonObject full = ropes.object("full_attention");
  config.rope_full = parse_rope(full, "proportional");
  // Without the key other loaders take 1.0, which is no Gemma 4.
  config.rope_full.partial_rotary_factor = rotary_factor(full);
}

bool parse_vision_blocks(const JsonObject& text, bool unified) {
  constexpr const char* kKey = "use_bidirectional_attention";
  if (!text.contains(kKey)) {
    return unified;
  }
  if (text.has(kKey) && *text.find(kKey) != "vision") {
    text.fail(kKey, "null or \"vision\"");
  }
  return text.has(kKey);
}

void parse_per_layer_inputs(const JsonObject& text, TextConfigKind kind, TextConfig& config) {
  constexpr const char* kKey = "hidden_size_per_layer_input";
  const bool may_be_absent = kind.unified || kind.drafter;
  if (!text.contains(kKey) && !may_be_absent) {
    text.fail(kKey, "a non-negative integer or null");
  }
  config.hidden_size_per_layer_input = text.integer_or(kKey, {0, kWidthRange.most}, 0);
  if (config.hidden_size_per_layer_input == 0) {
    return;
  }
  if (may_be_absent) {
    text.fail(kKey, "0 for this model type");
  }
  config.vocab_size_per_layer_input = text.integer("vocab_size_per_layer_input", kVocabRange);
}

void parse_moe(const JsonObject& text, TextConfigKind kind, TextConfig& config) {
  if (!text.boolean_or("enable_moe_block", false)) {
    return;
  }
  if (kind.unified || kind.drafter) {
    text.fail("enable_moe_block", "false for this model type");
  }
  MoeConfig moe;
  moe.num_experts = text.integer("num_experts", {1, 1u << 16});
  moe.top_k_experts = text.integer("top_k_experts", {1, moe.num_experts});
  moe.moe_intermediate_size = text.integer("moe_intermediate_size", kWidthRange);
  config.moe = moe;
}

std::size_t parse_num_kv_shared(const JsonObject& text, TextConfigKind kind) {
  constexpr const char* kKey = "num_kv_shared_layers";
  const std::size_t num_layers = text.integer("num_hidden_layers", kLayerRange);
  if (!kind.drafter) {
    return text.integer_or(kKey, {0, num_layers - 1}, 0);
  }
  // 0 is how a drafter is written that leaves the number to the library.
  const std::size_t shared = text.integer_or(kKey, {0, num_layers}, 0);
  if (shared != 0 && shared != num_layers) {
    text.fail(kKey, std::to_string(num_layers) + ", all layers of a drafter");
  }
  return num_layers;
}

void check_heads(const JsonObject& text, const TextConfig& config) {
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    const std::size_t kv_heads = config.layers[i].num_key_value_heads;
    if (config.num_attention_heads % kv_heads != 0) {
      text.fail("num_attention_heads", "a multiple of the " + std::to_string(kv_heads) +
                                           " key/value heads of layer " + std::to_string(i));
    }
  }
}

// The pad row stands in for media tokens in both tables (R-13, per-layer inputs).
std::int32_t parse_pad(const JsonObject& text, const TextConfig& config) {
  std::size_t rows = config.vocab_size;
  if (config.hidden_size_per_layer_input > 0 && config.vocab_size_per_layer_input < rows) {
    rows = config.vocab_size_per_layer_input;
  }
  return static_cast<std::int32_t>(text.integer_or("pad_token_id", {0, rows - 1}, 0));
}

}  // namespace

TextConfig parse_text_config(const JsonObject& text, TextConfigKind kind) {
  check_fixed_keys(text);
  TextConfig config;
  config.vocab_size = text.integer("vocab_size", kVocabRange);
  config.hidden_size = text.integer("hidden_size", kWidthRange);
  config.num_attention_heads = text.integer("num_attention_heads", kHeadRange);
  config.rms_norm_eps = text.number("rms_norm_eps", kEpsRange);
  config.sliding_window = text.integer("sliding_window", kPositionRange);
  config.max_position_embeddings = text.integer("max_position_embeddings", kPositionRange);
  parse_ropes(text, config);
  if (text.has("final_logit_softcapping")) {
    config.final_logit_softcapping = text.number("final_logit_softcapping", kCapRange);
  }
  config.vision_blocks = parse_vision_blocks(text, kind.unified);
  parse_per_layer_inputs(text, kind, config);
  parse_moe(text, kind, config);
  config.num_kv_shared_layers = parse_num_kv_shared(text, kind);
  config.layers = parse_layers(text, kind, config.num_kv_shared_layers);
  check_heads(text, config);
  config.special.pad = parse_pad(text, config);
  return config;
}

}  // namespace assay
