// SPDX-License-Identifier: Apache-2.0
// Lists of token ids in JSON.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/family/base/json.h"

namespace assay::program {

Json id_list(const std::vector<std::int32_t>& ids);

// Throws Error "ids[3]: got -1, expected a token id".
std::vector<std::int32_t> ids_of(const Json& list);

}  // namespace assay::program
