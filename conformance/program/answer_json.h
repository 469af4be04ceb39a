// SPDX-License-Identifier: Apache-2.0
// A parsed answer as JSON: what `assay parse` and `assay run --json` print.
#pragma once

#include <cstddef>

#include "reference/family/chat/answer.h"

namespace assay::program {

// {"reasoning", "thoughts", "content", "tool_calls": [{"name", "arguments", "repairs", …}], …}
// A call has "tool" where the name means a declared tool under another name.
Json::Object answer_fields(const Answer& answer);

// {"boxes": [{"label", "top", "left", "bottom", "right"}], "points": [{"label", "y", "x"}]} in the
// pixels of an image of this size; null when the content is no JSON.
Json region_fields(const Answer& answer, std::size_t width, std::size_t height);

}  // namespace assay::program
