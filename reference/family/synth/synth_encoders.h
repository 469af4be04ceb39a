// SPDX-License-Identifier: Apache-2.0
// The released encoders (spec multimodal 1.2 to 1.5) as parts of a synthetic checkpoint's files.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/base/json.h"
#include "reference/family/synth/synth.h"

namespace assay {

// Sets vision_config and audio_config of a config.json. Throws Error for a size that has no
// encoders, and for an option that this size's encoders do not know.
void add_encoder_configs(Json& config, std::string_view size, const SynthEncoders& encoders);

// The text of processor_config.json.
std::string synthetic_processor_config(std::string_view size, const SynthEncoders& encoders);

}  // namespace assay
