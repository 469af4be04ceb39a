// SPDX-License-Identifier: Apache-2.0
// The released hyper-parameters (spec text 1.1, 3.1), and the config.json of a synthetic
// checkpoint.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/synth/synth.h"

namespace assay {

// The text of config.json. Not checked here: parse_config refuses what makes no model.
std::string synthetic_config(std::string_view size, const SynthOptions& options);

}  // namespace assay
