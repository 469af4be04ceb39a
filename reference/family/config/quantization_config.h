// SPDX-License-Identifier: Apache-2.0
// What a config says about how its weights were quantised: `quantization_config`, and its older and
// foreign names `compression_config` (compressed-tensors) and `quantization` (MLX, modelopt).
//
// Whether they are quantised is for the tensors to say. This page gives the form its name, and what
// its decoders need where the tensors do not tell them. It refuses nothing.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reference/family/base/json_object.h"

namespace assay {

struct QuantizationConfig {
  std::string file;    // config.json, or modelopt's hf_quant_config.json
  std::string key;     // there, "quantization_config"; empty where there is none
  std::string method;  // its quant_method in lower case, "compressed-tensors"; empty: not said
  std::string name;    // for a message: "compressed-tensors, pack-quantized, 4 bits"

  bool is_said() const { return !key.empty(); }

  // The rows and columns that have one scale in common (fp8).
  std::optional<std::array<std::size_t, 2>> weight_block;
  // Of the groups of compressed-tensors, each width once.
  std::vector<std::size_t> weight_bits;
  // The inputs of linear maps are quantised as well when such a model runs (w8a8, w4a4).
  bool quantizes_inputs = false;
  bool static_integer_inputs = false;  // to integers, by scales that are stored
};

// Of the root or, where the root has no such key, its text_config.
QuantizationConfig parse_quantization_config(const JsonObject& root);

}  // namespace assay
