// SPDX-License-Identifier: Apache-2.0
// The kill table: each mutant, run as a candidate on a case that can show it, judged as any port.
//
// The judge is proved by this: a mutant that passes, or is blamed at another tap than its
// mistake's, is a fault of the suite.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "conformance/compare/judge_run.h"
#include "conformance/mutants/innocent.h"
#include "conformance/mutants/mutated.h"

namespace assay::conformance {

// killed      fails, and first at the expected tap
// misplaced   fails, but first at another
// escaped     changes the run and passes
// equivalent  changes no tap of any case that was tried
enum class Fate { kKilled, kMisplaced, kEscaped, kEquivalent };
const char* fate_name(Fate fate);

struct Kill {
  std::string label;
  std::string case_name;  // "e2b-tiny/text-edges"
  std::string expected;   // pattern
  std::string caught_at;  // the first tap that was blamed; empty: none
  double size = 0;        // of the error there, in floors
  Fate fate = Fate::kEquivalent;
};

// The trials of one case. Floors are measured once for each set of taps that is shown.
class CaseTrials {
 public:
  // All of it outlives this. `name`: "checkpoint/case".
  CaseTrials(const Golden& golden, std::string name, Oracle& oracle, const MutantModel& model,
             const PrecisionClass& precision);

  // Whether the run has a tap that the mutant rewrites.
  bool has_taps_of(const Mutant& mutant) const;
  Kill judge(const Mutant& mutant);
  // The first tap at which an honest program is refused; empty: none.
  std::string alarm_of(const Innocent& innocent);

 private:
  // A run of the class: with its roundings at every tap, where it has any.
  TapSet run(Implementation& candidate, const std::vector<std::string>& hidden, RunOptions options);
  std::vector<CaseResult> judge_taps(const TapSet& taps, const std::vector<std::string>& hidden);
  const Floors& floors_without(const std::vector<std::string>& hidden);
  bool shows(const std::string& tap, const std::vector<std::string>& hidden) const;

  const Golden& golden_;
  std::string name_;
  Oracle& oracle_;
  const MutantModel& model_;
  const PrecisionClass& precision_;
  std::vector<std::string> taps_;  // of an honest run
  std::map<std::vector<std::string>, Floors> floors_;
};

}  // namespace assay::conformance
