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

// `body` holds kDelimiterByte for delimiters and is UTF-8 otherwise. Of a call that cannot be read
// the name is kept where there is one, for a client to answer the right tool.
ToolCall parse_tool_call(std::string_view body, const AnswerOptions& options);

}  // namespace assay
