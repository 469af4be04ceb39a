// SPDX-License-Identifier: Apache-2.0
// The keys of config.json that mean something here, or are known to change no number.
//
// Others are named: they may have been written for a program that computes something else with
// them. null says nothing, and neither does an empty list or object.
#pragma once

#include <string>
#include <vector>

#include "reference/family/base/json_object.h"

namespace assay {

// The root's own keys, and below it text_config, vision_config and audio_config. A flat config has
// the text model's keys in its root. At most kMostNotes lines are appended.
void note_unknown_keys(const JsonObject& root, bool unified, std::vector<std::string>& notes);

constexpr std::size_t kMostNotes = 20;

}  // namespace assay
