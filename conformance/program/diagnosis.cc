// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/diagnosis.h"

#include <algorithm>
#include <set>
#include <string>

#include "conformance/compare/judge_run.h"
#include "conformance/mutants/diagnose.h"

namespace assay::program {

using conformance::CaseResult;

namespace {

// Failing steps of the replay; not those at which the dump alone is wrong.
std::set<std::string> failing_steps(const CaseResult& replayed) {
  std::set<std::string> taps(replayed.introduced_by.begin(), replayed.introduced_by.end());
  for (const conformance::TapResult& tap : replayed.taps) {
    if (tap.unused) {
      taps.erase(tap.tap);
    }
  }
  return taps;
}

}  // namespace

void add_diagnosis(const conformance::Golden& golden, const conformance::TapSet& taps,
                   Judges& judges, const conformance::PrecisionClass& precision, double seconds,
                   std::vector<CaseResult>& results) {
  const bool unexplained = std::ranges::any_of(results, [](const CaseResult& result) {
    return result.verdict == conformance::Verdict::kFail && !result.class_explains &&
           !result.profile_note.starts_with("this is ");
  });
  if (!unexplained || judges.oracle() == nullptr || seconds <= 0) {
    return;
  }
  std::set<std::string> steps;
  const auto replayed = std::ranges::find(results, conformance::Mode::kReplay, &CaseResult::mode);
  if (replayed != results.end() && !replayed->introduced_by.empty()) {
    steps = failing_steps(*replayed);
    if (steps.empty()) {
      return;
    }
  }
  const auto floors = conformance::floors_for(golden, taps.names(), judges.oracle(), precision,
                                              {conformance::Mode::kReplay});
  const auto found = conformance::diagnose(
      judges.oracle()->f64(), {golden, taps, floors, judges.mutant_model(), seconds, steps});
  for (CaseResult& result : results) {
    if (result.verdict == conformance::Verdict::kFail) {
      result.diagnosis = found;
    }
  }
}

}  // namespace assay::program
