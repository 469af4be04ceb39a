// SPDX-License-Identifier: Apache-2.0
// Charts of a verdict as SVG, for report.html. Colours are classes of its style sheet.
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

// The error of each tap in the order of execution, in floors, on a logarithmic scale, with the
// limit of each; or "" where fewer than three taps have a measured error.
std::string error_by_depth(const CaseResult& result);

// For each kind of block ("text.layer") a map of blocks and taps, coloured by how much of its limit
// an error takes; or "".
std::string heat_maps(const CaseResult& result);

// The rows of the leading axis of a failing tap, wrong ones marked; or "".
std::string row_strip(const TapResult& tap);

}  // namespace assay::conformance
