// SPDX-License-Identifier: Apache-2.0
// Calls and results inside a model turn (spec prompting 2.3, steps 4d and 4e, RP-5 to RP-7).
//
//   <|tool_call>call:NAME{key:VALUE,…}<tool_call|>
//   <|tool_response>response:NAME{key:VALUE,… or value:VALUE}<tool_response|>
//
// Nothing stands between two blocks. All of these throw PromptError for what the template rejects.
#pragma once

#include <string>

#include "reference/family/base/json.h"

namespace assay {

inline constexpr std::string_view kOpenResponse = "<|tool_response>";

// The calls of a message; nothing where it has none. Arguments are a mapping or null.
std::string call_blocks(const Json& message);

// The results that stand in the message itself, under tool_responses.
std::string own_result_blocks(const Json& message);

// The result that a tool message brings to the message that called; media of it stand after the
// block. Oddities: a string is never parsed, even if it is JSON; of calls with the same id, or
// without any as this message, the last gives the name.
std::string result_block(const Json& caller, const Json& tool_message);

}  // namespace assay
