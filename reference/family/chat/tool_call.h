// SPDX-License-Identifier: Apache-2.0
// The body of one tool call to a name and arguments.
//
// Strict first. Where that fails and repairs are allowed, one repair after another is tried, alone
// and then together, and the first reading that holds is taken, with the repairs named. Time grows
// with the length of the body, whatever stands in it.
#pragma once

#include <string>
#include <string_view>

#include "reference/family/chat/answer.h"
#include "reference/family/chat/call_words.h"

namespace assay {

// `body` holds kDelimiterByte for delimiters and is UTF-8 otherwise.
ToolCall parse_tool_call(std::string_view body, const AnswerOptions& options);

// The tool that a call means: its name, or the part after the last ':' or '.' where only that is
// declared ("default_api:get_weather"). Empty: no such tool.
std::string declared_tool(std::string_view name, const Json& tools);

}  // namespace assay
