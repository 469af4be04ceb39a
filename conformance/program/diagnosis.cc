// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/diagnosis.h"

#include <algorithm>

#include "conformance/compare/judge_run.h"
#include "conformance/mutants/diagnose.h"

namespace assay::program {

using conformance::CaseResult;

void add_diagnosis(const conformance::Golden& golden, const conformance::TapSet& taps,
                   Judges& judges, const conformance::PrecisionClass& precision, double seconds,
                   std::vector<CaseResult>& results) {
  const bool unexplained = std::ranges::any_of(results, [](const CaseResult& result) {
    return result.verdict == conformance::Verdict::kFail &&
           !result.profile_note.starts_with("this is ");
  });
  if (!unexplained || judges.oracle() == nullptr || seconds <= 0) {
    return;
  }
  const auto floors = conformance::floors_for(golden, taps.names(), judges.oracle(), precision,
                                              {conformance::Mode::kReplay});
  const auto found = conformance::diagnose(judges.oracle()->f64(),
                                           {golden, taps, floors, judges.mutant_model(), seconds});
  for (CaseResult& result : results) {
    if (result.verdict == conformance::Verdict::kFail) {
      result.diagnosis = found;
    }
  }
}

}  // namespace assay::program
