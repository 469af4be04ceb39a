// SPDX-License-Identifier: Apache-2.0
// Values and tool declarations in the syntax of the Gemma 4 prompt (spec prompting 2.4, 2.5,
// RP-13 to RP-19).
//
//   string   <|"|>raw text<|"|>      nothing is escaped
//   mapping  {key:VALUE,…}           keys sorted without regard to case
//   tool     declaration:NAME{description:…,parameters:{properties:{…},required:[…],type:…}}
#pragma once

#include <string>
#include <string_view>

#include "reference/family/base/json.h"

namespace assay {

inline constexpr std::string_view kStringDelimiter = "<|\"|>";

enum class KeyStyle { kBare, kDelimited };  // in calls and results; in declarations

std::string prompt_value(const Json& value, KeyStyle keys);

// key:VALUE pairs without braces; nothing for null.
std::string prompt_pairs(const Json::Object& mapping);

// `tool` is {"type": "function", "function": {…}}. Throws PromptError.
std::string tool_declaration(const Json& tool);

}  // namespace assay
