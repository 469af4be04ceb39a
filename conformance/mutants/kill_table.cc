// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/kill_table.h"

#include <algorithm>
#include <cmath>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/listeners.h"

namespace assay::conformance {
namespace {

const std::set<Mode> kModes = {Mode::kChained, Mode::kReplay};

// Remembers what a run has to show and takes none of it.
class NameListener : public TapListener {
 public:
  bool wants(const std::string& name) const override {
    names.push_back(name);
    return false;
  }
  void on_tap(const TensorView& /*tap*/) override {}

  mutable std::vector<std::string> names;
};

std::string pattern_of(const std::string& tap) {
  const auto match = find_tap(tap);
  return match ? std::string(match->entry->pattern) : tap;
}

double size_at(const std::vector<CaseResult>& results, const std::string& tap) {
  double size = 0;
  for (const CaseResult& result : results) {
    for (const TapResult& each : result.taps) {
      if (each.tap == tap && std::isfinite(each.in_bound_units)) {
        size = std::max(size, each.in_bound_units);
      }
    }
  }
  return size;
}

}  // namespace

const char* fate_name(Fate fate) {
  switch (fate) {
    case Fate::kKilled:
      return "killed";
    case Fate::kMisplaced:
      return "misplaced";
    case Fate::kEscaped:
      return "escaped";
    case Fate::kEquivalent:
      break;
  }
  return "equivalent";
}

CaseTrials::CaseTrials(const Golden& golden, std::string name, Oracle& oracle,
                       const MutantModel& model, const PrecisionClass& precision)
    : golden_(golden),
      name_(std::move(name)),
      oracle_(oracle),
      model_(model),
      precision_(precision) {
  NameListener names;
  require_ok(oracle.f32().run(golden.input, {}, names), golden.path.string(), "the honest run");
  std::ranges::sort(names.names);
  const auto twice = std::ranges::unique(names.names);
  names.names.erase(twice.begin(), twice.end());
  taps_ = std::move(names.names);
}

bool CaseTrials::has_taps_of(const Mutant& mutant) const {
  return std::ranges::all_of(mutant.rewrites, [&](const Rewrite& rewrite) {
    return std::ranges::any_of(taps_, [&](const std::string& tap) {
      return pattern_of(tap) == rewrite.tap && rewrites_layer(rewrite, model_, tap);
    });
  });
}

bool CaseTrials::shows(const std::string& tap, const std::vector<std::string>& hidden) const {
  return std::ranges::find(hidden, pattern_of(tap)) == hidden.end();
}

const Floors& CaseTrials::floors_without(const std::vector<std::string>& hidden) {
  const auto found = floors_.find(hidden);
  if (found != floors_.end()) {
    return found->second;
  }
  std::set<std::string> shown;
  for (const std::string& tap : taps_) {
    if (shows(tap, hidden)) {
      shown.insert(tap);
    }
  }
  return floors_.emplace(hidden, floors_for(golden_, shown, &oracle_, precision_, kModes))
      .first->second;
}

TapSet CaseTrials::run(Implementation& candidate, const std::vector<std::string>& hidden,
                       RunOptions options) {
  CollectingListener listener([&](const std::string& tap) { return shows(tap, hidden); });
  RoundingListener rounded(precision_, 0, nullptr, {&listener});
  TapListener& used = precision_.rounds_taps ? static_cast<TapListener&>(rounded) : listener;
  options.rounding = precision_.rounding;
  require_ok(candidate.run(golden_.input, options, used), golden_.path.string(), "a candidate");
  rounded.check();
  listener.check();
  return std::move(listener.taps());
}

std::vector<CaseResult> CaseTrials::judge_taps(const TapSet& taps,
                                               const std::vector<std::string>& hidden) {
  JudgeOptions options;
  options.floors = &floors_without(hidden);
  options.name_causes = false;
  return judge_run(golden_, taps, &oracle_, precision_, kModes, {}, options);
}

Kill CaseTrials::judge(const Mutant& mutant) {
  Kill kill{mutant.label, name_, mutant.expected, "", 0, Fate::kEquivalent};
  Mutated candidate(oracle_.f32(), model_, {&mutant});
  const TapSet taps = run(candidate, mutant.hidden, {});
  if (candidate.changed().empty()) {
    return kill;
  }
  const auto results = judge_taps(taps, mutant.hidden);
  kill.fate = Fate::kEscaped;
  const auto& blamed = results.front().introduced_by;
  if (!blamed.empty()) {
    kill.caught_at = blamed.front();
    kill.size = size_at(results, kill.caught_at);
    kill.fate = pattern_of(kill.caught_at) == mutant.expected ? Fate::kKilled : Fate::kMisplaced;
  }
  return kill;
}

std::string CaseTrials::alarm_of(const Innocent& innocent) {
  Mutated candidate(oracle_.f32(), model_, {&innocent.variant});
  const TapSet taps = run(candidate, {}, innocent.run);
  for (const CaseResult& result : judge_taps(taps, {})) {
    if (result.verdict == Verdict::kFail) {
      return result.introduced_by.empty() ? "?" : result.introduced_by.front();
    }
  }
  return "";
}

}  // namespace assay::conformance
