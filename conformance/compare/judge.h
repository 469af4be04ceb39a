// SPDX-License-Identifier: Apache-2.0
// From numbers to a verdict. Knows no tensor.
//
//   fail  if  relL2 > K floor   or   worst row > K_row floor of rows
//   warn  if  relL2 > K/2 floor   or   the largest error is far out of its distribution
#pragma once

#include <string>

#include "conformance/compare/choices.h"
#include "conformance/compare/floors.h"
#include "conformance/compare/measure.h"
#include "conformance/compare/precision.h"
#include "conformance/compare/verdict.h"

namespace assay::conformance {

struct Limits {
  double k = 0;
  double k_row = 0;
  double smallest_budget = 0;    // of relative L2, tensor and row
  double roundoff = 0;           // u of the class
  double smallest_roundoff = 0;  // of its subnormal numbers
};
Limits chained_limits(const PrecisionClass& precision);
Limits replay_limits(const PrecisionClass& precision);

// Special values first (NAN, INF, MASK_LEAK, NOT_PROB, NONZERO), then the budget (TOL).
TapResult judge(const std::string& tap, const Errors& errors, const TapFloor& floor,
                const Limits& limits);

// Equality, without excuse.
TapResult judge_equal(const std::string& tap, const Mismatches& found);

// Sets that differ are excused where the regret is at most 2 Delta, Delta = 4 floor rms(scores).
struct ChoiceVerdict {
  TapResult result;
  std::size_t excused =
      0;  // rows that chose the worse of a near-tie; of equal scores none is worse
};
ChoiceVerdict judge_choice(const std::string& tap, const ChoiceErrors& errors,
                           const TapFloor& scores_floor);
double score_gap(const TapFloor& scores_floor, double score_rms);  // 2 Delta

// How many rows may be excused in one run that has so many rows with a near-tie.
std::size_t excusable(std::size_t near_ties);

TapResult judge_shape(const std::string& tap, const std::vector<std::size_t>& got,
                      const std::vector<std::size_t>& wanted);

// A failure that does not gate: informative or conditioned taps.
void soften(TapResult& result, const std::string& why);

void add_note(TapResult& result, const std::string& note);

// The result of a tap; null where it was not judged.
TapResult* find_result(CaseResult& result, const std::string& tap);

}  // namespace assay::conformance
