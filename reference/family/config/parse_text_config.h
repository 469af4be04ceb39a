// SPDX-License-Identifier: Apache-2.0
// The text part of a config.json: every rule of spec text 1.4 that is not about its wrapping.
#pragma once

#include "reference/family/base/json_object.h"
#include "reference/family/config/config.h"

namespace assay {

// Limits that keep every later product within 64 bits.
constexpr IntegerRange kLayerRange{1, 1u << 12};
constexpr IntegerRange kWidthRange{1, 1u << 20};
constexpr IntegerRange kHeadRange{1, 1u << 14};
constexpr IntegerRange kVocabRange{1, 1u << 24};
constexpr IntegerRange kPositionRange{1, (1u << 31) - 1};

struct TextConfigKind {
  bool unified = false;  // gemma4_unified_text: no per-layer inputs, no experts
  bool drafter = false;  // all layers read the target's keys and values
};

TextConfig parse_text_config(const JsonObject& text, TextConfigKind kind);

}  // namespace assay
