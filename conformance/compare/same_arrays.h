// SPDX-License-Identifier: Apache-2.0
// Taps that hold one and the same array, bit for bit, where the truth has different ones: a buffer
// that was reused before it was copied into the dump, or one that was filed under several names.
#pragma once

#include <string>
#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// Groups of two and more, each in execution order.
std::vector<std::vector<std::string>> same_arrays(const TapSet& truth, const TapSet& dump);

// Makes failures of all taps of a group but the one that is nearest to its truth, whatever the
// class excuses: an array is not two taps at once. The code is ALIASED.
void judge_same_arrays(const std::vector<std::vector<std::string>>& groups, CaseResult& result);

}  // namespace assay::conformance
