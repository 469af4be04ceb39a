// SPDX-License-Identifier: Apache-2.0
// Fields and parts of a message, as the official template sees them (spec prompting 2.2, RP-9).
#pragma once

#include <string>
#include <string_view>

#include "reference/family/base/json.h"

namespace assay {

// The value of a key; null where there is none.
const Json& field(const Json& mapping, std::string_view key);

std::string role_of(const Json& message);  // "" where it is no text

bool is_text_part(const Json& part);

// <|image|>, <|audio|>, <|video|>; empty for text and for what is unknown.
std::string_view placeholder(const Json& part);

// The text of a part as Python prints it; nothing where there is none.
std::string part_text(const Json& part);

// The parts of a list; none for null and what has none. Throws PromptError for a mapping, and for
// a part that is no mapping.
const Json::Array& parts_of(const Json& content);

}  // namespace assay
