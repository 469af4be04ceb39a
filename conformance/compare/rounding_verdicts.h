// SPDX-License-Identifier: Apache-2.0
// The roundings of a whole dump: which taps fail by them, and whether that can be a mistake.
//
// One mistake shows at its own tap in a replay, in whatever layers: at one kind of tap of about
// twenty. Where most kinds differ, in both directions, nothing is wrong with a step: the program
// rounds at points that are not among the known ones. Its values are then judged by relative error
// alone, and the case says so. Differences that all go toward zero are truncation, and stay.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "conformance/compare/comparison.h"
#include "conformance/compare/precision.h"
#include "conformance/compare/roundings.h"
#include "conformance/compare/verdict.h"

namespace assay::conformance {

class RoundingVerdicts {
 public:
  void judge(const Comparison& step, const RoundingFloor& floor, const PrecisionClass& precision,
             TapResult& tap);
  bool are_elsewhere() const;
  // Takes the failures by rounding back, where they are elsewhere.
  void conclude(CaseResult& result) const;

 private:
  std::map<std::string, bool> failed_;        // by kind of tap
  std::map<std::string, TapResult> without_;  // failing taps as they were before
  std::size_t different_ = 0;
  std::size_t toward_zero_ = 0;
};

}  // namespace assay::conformance
