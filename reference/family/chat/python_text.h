// SPDX-License-Identifier: Apache-2.0
// JSON values in the eyes of Python, which executes the official templates.
#pragma once

#include <string>

#include "reference/family/base/json.h"

namespace assay {

// What Python takes for true: not null, not false, not 0, not empty.
bool truthy(const Json& value);

// As Python's str() prints it; repr() inside arrays and objects: ['string', 'null'].
std::string python_text(const Json& value);

}  // namespace assay
