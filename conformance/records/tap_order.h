// SPDX-License-Identifier: Apache-2.0
// Names of taps in order.
#pragma once

#include <string>
#include <vector>

namespace assay::conformance {

// Names in the order in which a run computes them; names that are no tap last, by name.
void sort_by_execution(std::vector<std::string>& names);

}  // namespace assay::conformance
