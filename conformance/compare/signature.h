// SPDX-License-Identifier: Apache-2.0
// What an error looks like, from its sums alone.
//
//   got = s want    s = sum(got want) / sum(want^2), where what is left is below 5 % of the error
//   got = want + c  c = mean of the error, likewise
#pragma once

#include <string>

#include "conformance/compare/measure.h"

namespace assay::conformance {

// "got = want / 6", "got = -want", "got = want + 0.5"; "" for no such error.
std::string signature_of(const Errors& errors);

}  // namespace assay::conformance
