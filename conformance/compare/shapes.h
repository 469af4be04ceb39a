// SPDX-License-Identifier: Apache-2.0
// Which shapes hold the same numbers in the same order.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "conformance/records/tap.h"

namespace assay::conformance {

using Shape = std::vector<std::size_t>;

// Equal up to axes of 1 and neighbouring axes merged or split: [1, T, Hq*hd] for [T, Hq, hd].
bool shapes_agree(const Shape& got, const Shape& wanted);

// "" or "the axes look permuted: [H, T, S] where [T, H, S] is expected".
std::string permutation_hint(const Shape& got, const Shape& wanted);

// Integers, compared by equality: by the catalogue, or as the tap says.
bool is_discrete(const Tap& tap);

}  // namespace assay::conformance
