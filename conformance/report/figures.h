// SPDX-License-Identifier: Apache-2.0
// What the reports for people have in common: numbers as text, and how near a case came to failing.
#pragma once

#include <string>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

std::string number(double value, const char* format = "%.3g");

// The tested tap that takes the largest share of its budget, and that share; null: none has one.
struct Nearest {
  const TapResult* tap = nullptr;
  double share = 0;
};
Nearest nearest_to_limit(const CaseResult& result);

}  // namespace assay::conformance
