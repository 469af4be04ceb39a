// SPDX-License-Identifier: Apache-2.0
// One run of a candidate, judged: `verify` and `compare` alike end here.
//
// The candidate is nothing but its taps. Who judges is the oracle: an fp64 implementation that
// takes forced taps and a float build of the same, which together measure floors.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conformance/compare/floors.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/mode.h"
#include "conformance/compare/precision.h"
#include "conformance/compare/profiled.h"
#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/golden.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

class Oracle {
 public:
  // Both have the checkpoint of the case loaded and outlive this. They follow `profile`.
  Oracle(Implementation& f64, Implementation& f32, const std::string& profile)
      : f64_(f64), f64_judge_(f64, profile), f32_judge_(f32, profile) {}

  Implementation& f64() { return f64_judge_; }
  Implementation& f32() { return f32_judge_; }
  // Follows the profile that a run asks for.
  Implementation& f64_of_any_profile() { return f64_; }

 private:
  Implementation& f64_;
  Profiled f64_judge_;
  Profiled f32_judge_;
};

// What a caller that judges many runs of one case may say.
struct JudgeOptions {
  const Floors* floors = nullptr;  // measured before for this case, class and modes; null: not yet
  bool name_causes = true;         // look for what explains a failure, and say where it is
  // The dump holds the values that were used; false: it was rounded when it was written.
  bool exact_dump = true;
  // It rounds where some known program does; false: 16-bit values are judged by relative error.
  bool known_roundings = true;
};

// Judges `taps` in each of `modes`; results in the order chained, replay. A chained result names
// the taps at which an error entered (blame.h), and a failing one the profile that explains it.
// Floors are the golden's where it has them all, measured by the oracle otherwise. Without an
// oracle (null: no checkpoint) nothing can be replayed. Throws HarnessError for a mode that cannot
// be run.
std::vector<CaseResult> judge_run(const Golden& golden, const TapSet& taps, Oracle* oracle,
                                  const PrecisionClass& precision, const std::set<Mode>& modes,
                                  const TapFilter& claimed = {}, const JudgeOptions& options = {});

// The floors that judge_run() would use for a run that shows these taps.
Floors floors_for(const Golden& golden, const std::set<std::string>& taps, Oracle* oracle,
                  const PrecisionClass& precision, const std::set<Mode>& modes,
                  bool exact_dump = true, bool known_roundings = true);

}  // namespace assay::conformance
