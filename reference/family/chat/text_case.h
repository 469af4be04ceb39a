// SPDX-License-Identifier: Apache-2.0
// What the official templates ask of Python's strings: strip, lower, upper; and keys in order.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/family/base/json.h"

namespace assay {

// Without the Unicode white space at both ends (str.strip).
std::string_view trim(std::string_view text);

// Character by character (str.lower, str.upper); of the few characters that become several in the
// other case İ and ß are known.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

// The entries of a mapping by lower-case key; equal ones keep their order (Jinja's dictsort).
std::vector<const std::pair<std::string, Json>*> sorted_entries(const Json::Object& mapping);

}  // namespace assay
