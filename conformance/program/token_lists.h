// SPDX-License-Identifier: Apache-2.0
// Lists of token ids in JSON.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/family/chat/value.h"

namespace assay::program {

Value id_list(const std::vector<std::int32_t>& ids);

// Throws Error "ids[3]: got -1, expected a token id".
std::vector<std::int32_t> ids_of(const Value& list);

}  // namespace assay::program
