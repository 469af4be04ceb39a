// SPDX-License-Identifier: Apache-2.0
// A parsed answer as JSON: what `assay parse` and `assay run --json` print.
#pragma once

#include "reference/answer/answer.h"

namespace assay::program {

// {"reasoning", "thoughts", "content", "tool_calls": [{"name", "arguments", "repairs", …}], …}
Value::Mapping answer_fields(const Answer& answer);

}  // namespace assay::program
