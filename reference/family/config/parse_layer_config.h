// SPDX-License-Identifier: Apache-2.0
// What config.json says about the single layers: kinds, widths, whose keys and values are read.
#pragma once

#include <vector>

#include "reference/family/config/parse_text_config.h"

namespace assay {

// `num_attention_heads` must be a multiple of each layer's key/value heads.
std::vector<LayerConfig> parse_layers(const JsonObject& text, TextConfigKind kind,
                                      std::size_t num_kv_shared_layers);

}  // namespace assay
