// SPDX-License-Identifier: Apache-2.0
// The way back from a ModelConfig to the files that parse_config and parse_processor_config read:
// what these make of the text is the config again, but for how its weights were quantised.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/config/config.h"

namespace assay {

// config.json. `dtype` is what transformers loads the weights as: "bfloat16", "float16", "float32".
std::string config_text(const ModelConfig& config, std::string_view dtype);

// processor_config.json; empty where the model has no encoder.
std::string processor_config_text(const ModelConfig& config);

}  // namespace assay
