// SPDX-License-Identifier: Apache-2.0
// vision_config and audio_config of a config.json (spec multimodal 1.2 to 1.4), and the ids of the
// special tokens around media.
//
// Absent or null, a config means that there is no encoder. A key that is missing from one that is
// there takes transformers' default; what it says otherwise and cannot be computed is refused.
#pragma once

#include "reference/family/base/json_object.h"
#include "reference/family/config/config.h"

namespace assay {

// The soft-token budgets that an image or a frame may have.
void check_budget(const JsonObject& object, std::string_view key, std::size_t budget);

// -1, which no prompt holds, where the config says that there is no such token.
void parse_media_tokens(const JsonObject& root, SpecialTokens& special);

// Fills the encoders of `config`. `unified`: the 12B, which has embedders without an encoder.
void parse_media_config(const JsonObject& root, bool unified, ModelConfig& config);

}  // namespace assay
