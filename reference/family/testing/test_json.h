// SPDX-License-Identifier: Apache-2.0
// For tests: changes of a JSON document.
#pragma once

#include <algorithm>
#include <string>

#include "reference/family/base/json.h"

namespace assay {

// The part at "/text_config/layer_types/0"; a key that is not there is added.
inline Json& part_at(Json& document, const std::string& path) {
  Json* part = &document;
  for (std::size_t start = 1; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string key = path.substr(start, end - start);
    part = part->is_array() ? &(*part)[std::stoul(key)] : &(*part)[key];
    start = end + 1;
  }
  return *part;
}

}  // namespace assay
