// SPDX-License-Identifier: Apache-2.0
// Which keys a query sees. Scores are recorded before the mask: hidden ones say nothing.
#pragma once

#include <span>
#include <vector>

#include "conformance/records/tap.h"

namespace assay::conformance {

// One flag per element of [T, Hq, S]: where the true probabilities are not 0.
std::vector<char> visible_from_probabilities(const Tap& probabilities);

// Keys that every given mask [T, S] shows (null: not known), for a tap of `shape` [T, Hq, S]. A
// layer uses one of the two masks; what both show is visible in it. Empty when no mask fits.
std::vector<char> visible_from_masks(std::span<const Tap* const> masks,
                                     const std::vector<std::size_t>& shape);

}  // namespace assay::conformance
