// SPDX-License-Identifier: Apache-2.0
// The /inputs/requests of a golden: a JSON list as bytes, each entry one of
//
//   {"tokenize": text}   {"decode": [ids]}   {"stop": [ids]}
//   {"render": {chat}, "variant": "small" | "large"}
//   {"parse": [ids], "in_thought": true | false, "tools": [...]}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/interface/case.h"

namespace assay::conformance {

// Throws Error "label: request 2: got …" for what is no such list.
std::vector<TextRequest> parse_requests(std::string_view json, const std::string& label);

// The list as it stands in a file.
std::string requests_json(const std::vector<TextRequest>& requests);

}  // namespace assay::conformance
