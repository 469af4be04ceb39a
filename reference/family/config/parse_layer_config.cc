// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/parse_layer_config.h"

#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace assay {
namespace {

constexpr IntegerRange kHeadDimRange{2, 1u << 16};
constexpr std::size_t kDefaultGlobalHeadDim = 512;  // transformers', where the key is absent

struct HeadWidths {
  std::size_t head_dim = 0;
  std::size_t num_key_value_heads = 0;
};

std::size_t even_head_dim(const JsonObject& object, std::string_view key) {
  const std::size_t head_dim = object.integer(key, kHeadDimRange);
  if (head_dim % 2 != 0) {
    object.fail(key, "an even number");
  }
  return head_dim;
}

std::vector<LayerKind> kinds_from_list(const JsonObject& text, std::size_t num_layers) {
  const Json::Array& types = text.array("layer_types");
  if (types.size() != num_layers) {
    text.fail("layer_types", "one value for each of " + std::to_string(num_layers) + " layers");
  }
  std::vector<LayerKind> kinds;
  for (std::size_t i = 0; i < num_layers; ++i) {
    const bool full = types[i] == "full_attention";
    if (!full && types[i] != "sliding_attention") {
      text.fail_element("layer_types", i, "\"sliding_attention\" or \"full_attention\"");
    }
    kinds.push_back(full ? LayerKind::kFull : LayerKind::kSliding);
  }
  return kinds;
}

// Every period-th layer is full.
std::vector<LayerKind> kinds_from_period(std::size_t period, std::size_t num_layers) {
  std::vector<LayerKind> kinds(num_layers, LayerKind::kSliding);
  for (std::size_t i = period - 1; i < num_layers; i += period) {
    kinds[i] = LayerKind::kFull;
  }
  return kinds;
}

std::vector<LayerKind> parse_kinds(const JsonObject& text) {
  const std::size_t num_layers = text.integer("num_hidden_layers", kLayerRange);
  const bool by_period = !text.has("layer_types") && text.has("sliding_window_pattern");
  const auto kinds =
      by_period ? kinds_from_period(text.integer("sliding_window_pattern", kLayerRange), num_layers)
                : kinds_from_list(text, num_layers);
  if (kinds.back() != LayerKind::kFull) {
    text.fail(by_period ? "sliding_window_pattern" : "layer_types",
              "full attention in the last layer");
  }
  return kinds;
}

HeadWidths sliding_widths(const JsonObject& text) {
  return {even_head_dim(text, "head_dim"), text.integer("num_key_value_heads", kHeadRange)};
}

// null and 0 both mean the head_dim of sliding layers.
std::size_t global_head_dim(const JsonObject& text, std::size_t head_dim) {
  const Json* entry = text.find("global_head_dim");
  if (entry->is_null() || (entry->is_number() && entry->get<double>() == 0)) {
    return head_dim;
  }
  return even_head_dim(text, "global_head_dim");
}

// The full layers' widths by the released keys.
HeadWidths full_widths(const JsonObject& text, bool k_eq_v) {
  HeadWidths widths = sliding_widths(text);
  widths.head_dim = text.contains("global_head_dim") ? global_head_dim(text, widths.head_dim)
                                                     : kDefaultGlobalHeadDim;
  if (k_eq_v) {
    widths.num_key_value_heads =
        text.integer_or("num_global_key_value_heads", kHeadRange, widths.num_key_value_heads);
  }
  return widths;
}

std::optional<std::size_t> parse_index(const std::string& key, std::size_t num_layers) {
  std::size_t index = 0;
  const auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), index);
  const bool whole = problem == std::errc() && end == key.data() + key.size();
  return whole && index < num_layers ? std::optional(index) : std::nullopt;
}

// One layer's entry of per_layer_config over the widths that the layer has without it.
HeadWidths overridden_widths(const JsonObject& layer, HeadWidths widths) {
  for (const auto& [key, value] : layer.value().object()) {
    if (key == "head_dim") {
      widths.head_dim = value.is_null() ? widths.head_dim : even_head_dim(layer, key);
    } else if (key == "num_key_value_heads") {
      widths.num_key_value_heads = layer.integer_or(key, kHeadRange, widths.num_key_value_heads);
    } else {
      layer.fail(key, "only head_dim and num_key_value_heads");
    }
  }
  return widths;
}

std::map<std::size_t, HeadWidths> parse_overrides(const JsonObject& text, std::size_t num_layers) {
  const JsonObject overrides = text.object("per_layer_config");
  std::map<std::size_t, HeadWidths> widths;
  for (const Json::Member& entry : overrides.value().object()) {
    const auto& key = entry.first;
    const auto index = parse_index(key, num_layers);
    if (!index) {
      overrides.fail(key, "the index of one of " + std::to_string(num_layers) + " layers as key");
    }
    widths[*index] = overridden_widths(overrides.object(entry), sliding_widths(text));
  }
  return widths;
}

// Both ways to write down one width must say the same.
void check_agreement(const JsonObject& text, std::size_t layer, HeadWidths got,
                     HeadWidths expected) {
  const auto check = [&](const std::string& key, std::size_t a, std::size_t b) {
    if (a != b) {
      text.fail_as("per_layer_config." + std::to_string(layer) + "." + key, std::to_string(a),
                   std::to_string(b) + ", as the other keys and layers of its kind say");
    }
  };
  check("head_dim", got.head_dim, expected.head_dim);
  check("num_key_value_heads", got.num_key_value_heads, expected.num_key_value_heads);
}

// The full layers' widths where per_layer_config is there: those of the last layer, which is full,
// and the same in every other; the released keys, where they are too, must agree.
HeadWidths reconciled_widths(const JsonObject& text, const std::vector<LayerKind>& kinds,
                             bool k_eq_v) {
  const HeadWidths sliding = sliding_widths(text);
  const auto overrides = parse_overrides(text, kinds.size());
  const auto widths_of = [&](std::size_t layer) {
    const auto entry = overrides.find(layer);
    return entry == overrides.end() ? sliding : entry->second;
  };
  HeadWidths full = widths_of(kinds.size() - 1);
  const HeadWidths released = full_widths(text, k_eq_v);
  if (text.contains("global_head_dim")) {
    full.head_dim = released.head_dim;
  }
  if (k_eq_v && text.has("num_global_key_value_heads")) {
    full.num_key_value_heads = released.num_key_value_heads;
  }
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    check_agreement(text, i, widths_of(i), kinds[i] == LayerKind::kFull ? full : sliding);
  }
  return full;
}

// the last layer of the same kind that has keys and values of its own.
std::size_t find_kv_source(const JsonObject& text, const std::vector<LayerKind>& kinds,
                           std::size_t layer, std::size_t first_shared) {
  for (std::size_t source = first_shared; source-- > 0;) {
    if (kinds[source] == kinds[layer]) {
      return source;
    }
  }
  text.fail("num_kv_shared_layers", std::string("a layer before layer ") +
                                        std::to_string(first_shared) + " of the kind of layer " +
                                        std::to_string(layer) + ", whose keys and values it reads");
}

}  // namespace

std::vector<LayerConfig> parse_layers(const JsonObject& text, TextConfigKind kind,
                                      std::size_t num_kv_shared_layers) {
  const auto kinds = parse_kinds(text);
  const bool k_eq_v = text.boolean_or("attention_k_eq_v", false);
  const HeadWidths sliding = sliding_widths(text);
  const HeadWidths full = text.has("per_layer_config") ? reconciled_widths(text, kinds, k_eq_v)
                                                       : full_widths(text, k_eq_v);
  const std::size_t width = text.integer("intermediate_size", kWidthRange);
  const bool double_wide = text.boolean_or("use_double_wide_mlp", false);
  const std::size_t first_shared = kinds.size() - num_kv_shared_layers;

  std::vector<LayerConfig> layers(kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const bool is_full = kinds[i] == LayerKind::kFull;
    const bool shared = i >= first_shared;
    layers[i].kind = kinds[i];
    layers[i].head_dim = is_full ? full.head_dim : sliding.head_dim;
    layers[i].num_key_value_heads =
        is_full ? full.num_key_value_heads : sliding.num_key_value_heads;
    layers[i].intermediate_size = shared && double_wide ? 2 * width : width;
    layers[i].k_eq_v = is_full && k_eq_v;
    layers[i].kv_source =
        shared && !kind.drafter ? find_kv_source(text, kinds, i, first_shared) : i;
  }
  return layers;
}

}  // namespace assay
