// SPDX-License-Identifier: Apache-2.0
// The kill table: each mutant, run as a candidate on a case that can show it, judged as any port.
//
// The judge is proved by this: a mutant that passes, or is blamed at another tap than its
// mistake's, is a fault of the suite.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conformance/compare/judge_run.h"
#include "conformance/mutants/innocent.h"
#include "conformance/mutants/mutated.h"

namespace assay::conformance {

// killed      fails, and first at the expected tap
// misplaced   fails, but first at another
// escaped     changes the run and passes
// below       passes, and at no tap that it acts on do more than kShows of the values round to
//             another number of the class: a dump of the class does not show it. Or one value does,
//             by no more than honest fp32 programs are off; or none does, as where the class itself
//             rounds so
// equivalent  changes no tap of any case that was tried
enum class Fate { kKilled, kMisplaced, kEscaped, kBelow, kEquivalent };
const char* fate_name(Fate fate);

struct Kill {
  std::string label;
  std::string case_name;  // "e2b-tiny/text-edges"
  std::string expected;   // pattern
  std::string caught_at;  // the first tap that was blamed; empty: none
  double size = 0;        // of the error there, in floors
  Fate fate = Fate::kEquivalent;
  // In a class that rounds taps, at the tap where the mistake shows most: the share of values that
  // round to another number, and the largest change in spacings of its numbers.
  double differing = 0;
  double spacings = 0;
};

// Honest programs round up to one value in a hundred to another number (fp32 sums in another order,
// products of rounded factors); twice that is a mistake that shows.
constexpr double kShows = 0.02;

// The trials of one case. Floors are measured once for each set of taps that is shown.
class CaseTrials {
 public:
  // All of it outlives this. `name`: "checkpoint/case".
  CaseTrials(const Golden& golden, std::string name, Oracle& oracle, const MutantModel& model,
             const PrecisionClass& precision);

  // Whether the run has a tap that the mutant rewrites.
  bool has_taps_of(const Mutant& mutant) const;
  Kill judge(const Mutant& mutant);
  // The first tap at which an honest program is refused, or what else keeps it from passing; empty:
  // it passes. `engine`: the other implementation that it names, loaded.
  std::string alarm_of(const Innocent& innocent, Implementation* engine = nullptr);

 private:
  // A run of the class: with its roundings at every tap, where it has any; fused: but for hidden
  // ones.
  TapSet run(Implementation& candidate, const std::vector<std::string>& hidden, RunOptions options,
             bool fused = false);
  // A run of a program that has the roundings of its class by itself.
  TapSet run_engine(Implementation& engine, const RunOptions& options);
  std::vector<CaseResult> judge_taps(const TapSet& taps, const std::set<std::string>& shown,
                                     bool exact_dump = true);
  bool changes_unrounded(const Mutant& mutant);
  std::set<std::string> shown_without(const std::vector<std::string>& hidden) const;
  const Floors& floors_of(const std::set<std::string>& shown, bool exact_dump);
  bool shows(const std::string& tap, const std::vector<std::string>& hidden) const;

  const Golden& golden_;
  std::string name_;
  Oracle& oracle_;
  const MutantModel& model_;
  const PrecisionClass& precision_;
  std::vector<std::string> taps_;  // of an honest run
  // By the taps that are shown, and whether they are the values that were used.
  std::map<std::pair<std::set<std::string>, bool>, Floors> floors_;
};

}  // namespace assay::conformance
