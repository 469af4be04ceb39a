// SPDX-License-Identifier: Apache-2.0
// Prompts that every checkpoint of golden/ can read, and taps looked at row by row.
#pragma once

#include <cstddef>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/records/tap.h"

namespace assay::conformance {

// Ordinary tokens, no two neighbours equal.
CaseInput text_prompt(std::size_t count);

// 26 tokens: text, an image of 7 (longer than any window of golden/), text, an image of 2, one
// token of text, a video frame of 3, text.
CaseInput media_prompt(std::size_t width);
constexpr std::size_t kImageFirst = 3;
constexpr std::size_t kImageEnd = 10;

// Row r of the first axis.
std::vector<double> row_of(const Tap& tap, std::size_t r);

// || a - b || / || b ||; a NaN on either side is infinitely far.
double relative_distance(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace assay::conformance
