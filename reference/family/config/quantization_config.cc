// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/quantization_config.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/family/base/error.h"

namespace assay {
namespace {

constexpr std::size_t kMostNameBytes = 64;

std::string text_of(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  const bool usable = value != nullptr && value->is_string();
  return usable ? printable(value->string().substr(0, kMostNameBytes)) : std::string();
}

bool is_true(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value != nullptr && value->is_boolean() && value->boolean();
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// "bits" has a name of its own in each program.
std::string bits_of(const Json& object) {
  if (is_true(object, "load_in_4bit") || is_true(object, "_load_in_4bit")) {
    return "4 bits";
  }
  if (is_true(object, "load_in_8bit") || is_true(object, "_load_in_8bit")) {
    return "8 bits";
  }
  for (const char* key : {"bits", "w_bit", "num_bits", "nbits", "weight_bits"}) {
    const Json* value = object.find(key);
    if (value != nullptr && value->unsigned_integer()) {
      return value->number() + " bits";
    }
  }
  return "";
}

std::optional<std::array<std::size_t, 2>> pair_of(const Json* value) {
  if (value == nullptr || !value->is_array() || value->size() != 2) {
    return std::nullopt;
  }
  const auto rows = (*value)[0].unsigned_integer();
  const auto columns = (*value)[1].unsigned_integer();
  if (!rows || !columns || *rows == 0 || *columns == 0) {
    return std::nullopt;
  }
  return std::array<std::size_t, 2>{*rows, *columns};
}

void add_once(std::vector<std::size_t>& numbers, std::size_t number) {
  if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
    numbers.push_back(number);
  }
}

// The groups of compressed-tensors: each says how some modules' weights and inputs are stored.
void read_groups(const Json& object, QuantizationConfig& config) {
  const Json* groups = object.find("config_groups");
  if (groups == nullptr || !groups->is_object()) {
    return;
  }
  for (const auto& [name, group] : groups->object()) {
    const Json* inputs = group.find("input_activations");
    if (inputs != nullptr && inputs->is_object()) {
      config.quantizes_inputs = true;
      const Json* dynamic = inputs->find("dynamic");
      const bool is_static = dynamic != nullptr && dynamic->is_boolean() && !dynamic->boolean();
      config.static_integer_inputs |= is_static && text_of(*inputs, "type") != "float";
    }
    const Json* weights = group.find("weights");
    if (weights == nullptr) {
      continue;
    }
    if (!config.weight_block) {
      config.weight_block = pair_of(weights->find("block_structure"));
    }
    const Json* bits = weights->find("num_bits");
    if (bits != nullptr && bits->unsigned_integer()) {
      add_once(config.weight_bits, *bits->unsigned_integer());
    }
  }
}

std::string name_of(const Json& object, const QuantizationConfig& config) {
  const bool mlx = config.method.empty() && object.contains("group_size");
  std::vector<std::string> parts = {mlx                     ? "MLX"
                                    : config.method.empty() ? config.key
                                                            : config.method};
  for (const char* key : {"format", "quant_algo", "quant_type", "bnb_4bit_quant_type", "fmt",
                          "weights", "weight_format", "mode"}) {
    parts.push_back(text_of(object, key));
  }
  parts.push_back(bits_of(object));
  std::string name;
  for (const std::string& part : parts) {
    if (!part.empty()) {
      name += (name.empty() ? "" : ", ") + part;
    }
  }
  return name;
}

}  // namespace

QuantizationConfig parse_quantization_config(const JsonObject& root) {
  constexpr const char* kKeys[] = {"quantization_config", "compression_config", "quantization"};
  QuantizationConfig config;
  const Json* text = root.find("text_config");
  for (const Json* place : {&root.value(), text}) {
    for (const char* key : kKeys) {
      const Json* found = place == nullptr ? nullptr : place->find(key);
      if (found == nullptr || !found->is_object() || found->size() == 0) {
        continue;
      }
      config.file = "config.json";
      config.key = place == text ? std::string("text_config.") + key : key;
      config.method = lower(text_of(*found, "quant_method"));
      config.name = name_of(*found, config);
      config.weight_block = pair_of(found->find("weight_block_size"));
      config.quantizes_inputs = !text_of(*found, "activation_scheme").empty();
      read_groups(*found, config);
      return config;
    }
  }
  return config;
}

}  // namespace assay
