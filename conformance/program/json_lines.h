// SPDX-License-Identifier: Apache-2.0
// One JSON object a line, in and out: how ports compare tokenizers, templates and parsers by diff.
#pragma once

#include <functional>
#include <string>

#include "reference/family/base/json.h"

namespace assay::program {

// Calls `work` with every object of a file, or of standard input when `path` is "" or "-", and
// prints what it returns as a line. Throws Error "cases.jsonl:3: …" for a line that is no object or
// that `work` refuses; the lines before it have been answered by then.
void for_each_line(const std::string& path, const std::function<Json(const Json&)>& work);

// The value of a key; throws when it is absent.
const Json& needed(const Json& object, const char* key);

}  // namespace assay::program
