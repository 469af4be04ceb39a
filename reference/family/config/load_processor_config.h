// SPDX-License-Identifier: Apache-2.0
// What a checkpoint's files say about preprocessing (spec multimodal 1.5).
//
//   file                            part
//   processor_config.json           image_processor, video_processor, feature_extractor
//   preprocessor_config.json        the same as image_processor or feature_extractor, by its type
//   video_preprocessor_config.json  the same as video_processor
//
// For each part the first file that has it counts; without any the released values stand. The
// budgets and num_frames are read; everything else must be as released, for the reference computes
// nothing else.
#pragma once

#include <filesystem>
#include <string_view>

#include "reference/family/config/config.h"

namespace assay {

// Fills config.processor. Reads nothing for a model that has no encoder.
void load_processor_config(const std::filesystem::path& directory, ModelConfig& config);

// The text of one processor_config.json; `label` is its name in messages.
void parse_processor_config(std::string_view text, std::string_view label, ModelConfig& config);

}  // namespace assay
