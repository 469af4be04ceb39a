// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/kill_table.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/constants.h"
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

// Rounds what a program shows; what it keeps in registers stays as it is.
class ShownRoundingListener : public RoundingListener {
 public:
  ShownRoundingListener(const PrecisionClass& precision, TapFilter shown,
                        std::vector<SafeListener*> next)
      : RoundingListener(precision, 0, nullptr, std::move(next)), shown_(std::move(shown)) {}

 protected:
  void change(Tap& tap) override {
    if (shown_(tap.name)) {
      RoundingListener::change(tap);
    }
  }

 private:
  TapFilter shown_;
};

std::string pattern_of(const std::string& tap) {
  const auto match = find_tap(tap);
  return match ? std::string(match->entry->pattern) : tap;
}

// Whether more values round otherwise than honest programs turn over.
bool shows_in_class(const Change& change) {
  const bool as_honest = change.others <= 1 && change.excess <= kRoundingLimit * kHonestExcess;
  return change.differing > kShows && !as_honest;
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
    case Fate::kBelow:
      return "below";
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
  model.round_weights(precision.rounding);
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

std::set<std::string> CaseTrials::shown_without(const std::vector<std::string>& hidden) const {
  std::set<std::string> shown;
  std::ranges::copy_if(taps_, std::inserter(shown, shown.end()),
                       [&](const std::string& tap) { return shows(tap, hidden); });
  return shown;
}

const Floors& CaseTrials::floors_of(const std::set<std::string>& shown, bool exact_dump) {
  const auto key = std::pair(shown, exact_dump);
  const auto found = floors_.find(key);
  if (found != floors_.end()) {
    return found->second;
  }
  return floors_.emplace(key, floors_for(golden_, shown, &oracle_, precision_, kModes, exact_dump))
      .first->second;
}

TapSet CaseTrials::run(Implementation& candidate, const std::vector<std::string>& hidden,
                       RunOptions options, bool fused) {
  CollectingListener listener([&](const std::string& tap) { return shows(tap, hidden); });
  ShownRoundingListener rounded(
      precision_, [&](const std::string& tap) { return !fused || shows(tap, hidden); },
      {&listener});
  TapListener& used = precision_.rounds_taps ? static_cast<TapListener&>(rounded) : listener;
  options.rounding = precision_.rounding;
  require_ok(candidate.run(golden_.input, options, used), golden_.path.string(), "a candidate");
  rounded.check();
  listener.check();
  return std::move(listener.taps());
}

TapSet CaseTrials::run_engine(Implementation& engine, const RunOptions& options) {
  CollectingListener listener([&](const std::string& tap) { return golden_.truth.has(tap); });
  require_ok(engine.run(golden_.input, options, listener), golden_.path.string(), "an engine");
  listener.check();
  return std::move(listener.taps());
}

std::vector<CaseResult> CaseTrials::judge_taps(const TapSet& taps,
                                               const std::set<std::string>& shown,
                                               bool exact_dump) {
  JudgeOptions options;
  options.floors = &floors_of(shown, exact_dump);
  options.name_causes = false;
  options.exact_dump = exact_dump;
  return judge_run(golden_, taps, &oracle_, precision_, kModes, {}, options);
}

// Whether a program that rounds nothing runs otherwise with the mistake.
bool CaseTrials::changes_unrounded(const Mutant& mutant) {
  Mutated plain(oracle_.f32(), model_, {&mutant});
  NameListener names;
  require_ok(plain.run(golden_.input, {}, names), golden_.path.string(), "a candidate");
  return !plain.changed().empty();
}

Kill CaseTrials::judge(const Mutant& mutant) {
  Kill kill{mutant.label, name_, mutant.expected, "", 0, Fate::kEquivalent};
  const PrecisionClass* rounds = precision_.rounds_taps ? &precision_ : nullptr;
  Mutated candidate(oracle_.f32(), model_, {&mutant}, rounds);
  const TapSet taps = run(candidate, mutant.hidden, {});
  if (candidate.changed().empty()) {
    kill.fate = rounds != nullptr && changes_unrounded(mutant) ? Fate::kBelow : Fate::kEquivalent;
    return kill;
  }
  for (const Change& change : candidate.changed()) {
    kill.differing = std::max(kill.differing, change.differing);
    kill.spacings = std::max(kill.spacings, change.spacings);
  }
  const auto results = judge_taps(taps, shown_without(mutant.hidden));
  kill.fate = rounds != nullptr && std::ranges::none_of(candidate.changed(), shows_in_class)
                  ? Fate::kBelow
                  : Fate::kEscaped;
  const auto& blamed = results.front().introduced_by;
  if (!blamed.empty()) {
    kill.caught_at = blamed.front();
    kill.size = size_at(results, kill.caught_at);
    kill.fate = pattern_of(kill.caught_at) == mutant.expected ? Fate::kKilled : Fate::kMisplaced;
  }
  return kill;
}

std::string CaseTrials::alarm_of(const Innocent& innocent, Implementation* engine) {
  Mutated candidate(oracle_.f32(), model_, {&innocent.variant});
  const TapSet taps = engine != nullptr
                          ? run_engine(*engine, innocent.run)
                          : run(candidate, innocent.variant.hidden, innocent.run, true);
  // A run in several calls takes nothing from a listener: what it shows was rounded for the dump.
  const bool exact =
      engine != nullptr || !precision_.rounds_taps || innocent.run.prefill_chunk == 0;
  for (const CaseResult& result : judge_taps(taps, taps.names(), exact)) {
    if (result.verdict == Verdict::kFail) {
      return result.introduced_by.empty() ? "?" : result.introduced_by.front();
    }
    const bool informs = precision_.sixteen_bit && result.mode == Mode::kChained;
    if (result.verdict != Verdict::kPass && result.verdict != Verdict::kWarning && !informs) {
      return std::string(verdict_name(result.verdict)) + " in " + mode_name(result.mode);
    }
  }
  return "";
}

}  // namespace assay::conformance
