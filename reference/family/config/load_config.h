// SPDX-License-Identifier: Apache-2.0
// config.json of every Gemma 4 text model and drafter, in the forms of spec text 1.4.
//
//   model_type                              text model in      weights under
//   gemma4, gemma4_unified                  text_config        model.language_model.
//   gemma4_text, gemma4_unified_text        the root           model.
//   gemma4_assistant, …_unified_assistant   text_config        model.
//
// Both ways to say the widths of full-attention layers are read, the released one
// (global_head_dim, num_global_key_value_heads) and per_layer_config; where both are, they must
// agree. A key that changes the text model and is absent is an error, not a library's default; the
// encoders' keys have defaults (media_config.h).
#pragma once

#include <filesystem>
#include <string_view>

#include "reference/family/base/json.h"
#include "reference/family/config/config.h"

namespace assay {

// config.json of the directory; where they are, suppress_tokens of generation_config.json, the
// budgets of processor_config.json (processor_config.h), and modelopt's hf_quant_config.json.
ModelConfig load_config(const std::filesystem::path& directory);

// The text of one config.json; `label` is its name in messages.
ModelConfig parse_config(std::string_view text, std::string_view label = "config.json");
ModelConfig parse_config_json(const Json& document, std::string_view label);

}  // namespace assay
