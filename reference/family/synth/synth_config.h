// SPDX-License-Identifier: Apache-2.0
// The config.json of a synthetic checkpoint: a released size, with what the options change.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/synth/synth.h"

namespace assay {

// The text of config.json. Not checked here: parse_config refuses what makes no model.
std::string synthetic_config(std::string_view size, const SynthOptions& options);

}  // namespace assay
