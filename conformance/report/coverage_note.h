// SPDX-License-Identifier: Apache-2.0
// What a verdict rests on, in words, where that is little.
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

// "rests on text.logits alone, 1 of 52 kinds of tap: no step before it is judged by itself"; empty
// where a quarter of the kinds or more were judged, or it is not known how many there are.
std::string coverage_note(const CaseResult& result);

}  // namespace assay::conformance
