// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/judge_run.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/achieved_class.h"
#include "conformance/compare/blame.h"
#include "conformance/compare/calibrate.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/evidence.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/known_rounding.h"
#include "conformance/compare/replay.h"
#include "conformance/compare/unused.h"
#include "conformance/compare/where.h"
#include "conformance/compare/which_profile.h"

namespace assay::conformance {

// Stored floors where the golden has all of them, measured ones otherwise.
Floors floors_for(const Golden& golden, const std::set<std::string>& taps, Oracle* oracle,
                  const PrecisionClass& precision, const std::set<Mode>& modes, bool exact_dump,
                  bool known_roundings) {
  const bool stored = Floors::stored_for_all(golden, precision);
  const bool replays = modes.contains(Mode::kReplay);
  if ((stored && !replays) || oracle == nullptr) {
    Floors floors(precision);
    floors.use_stored(golden);
    return floors;
  }
  CalibrationOptions options;
  options.chained = modes.contains(Mode::kChained) && !stored;
  options.replay = replays;
  options.exact_dump = exact_dump;
  options.known_roundings = known_roundings;
  Floors floors = calibrate(oracle->f64(), oracle->f32(), golden.input, taps, precision, options);
  floors.use_stored(golden);
  return floors;
}

namespace {

class RunJudge {
 public:
  RunJudge(const Golden& golden, const TapSet& taps, Oracle* oracle,
           const PrecisionClass& precision, const std::set<Mode>& modes, const TapFilter& claimed,
           const JudgeOptions& options)
      : golden_(golden),
        taps_(taps),
        oracle_(oracle),
        modes_(modes),
        claimed_(claimed),
        options_(options),
        floors_(options.floors != nullptr
                    ? *options.floors
                    : floors_for(golden, taps.names(), oracle, precision, modes, options.exact_dump,
                                 options.known_roundings)) {}

  std::vector<CaseResult> judge() {
    std::optional<CaseResult> replayed;
    if (modes_.contains(Mode::kReplay)) {
      replayed = replay(oracle_->f64(), golden_.input, taps_, floors_);
      narrow(*replayed);
      replayed->seconds = lap();
    }
    std::vector<CaseResult> results;
    const CaseResult* steps = replayed ? &*replayed : nullptr;
    if (modes_.contains(Mode::kChained)) {
      CaseResult chained =
          compare_chained(golden_, taps_, floors_, true, replayed ? other_choices() : TapSet());
      narrow(chained);
      if (replayed) {
        part_unused(oracle_->f64(), {golden_.input, taps_, floors_}, chained, *replayed);
      }
      blame(chained, steps, oracle_ != nullptr);
      if (replayed) {
        name_rounding(*replayed);
      }
      name_profile(steps, chained);
      chained.seconds = lap();
      if (replayed) {
        chained.rounding_note = replayed->rounding_note;
        replayed->matches_profile = chained.matches_profile;
        replayed->profile_note = chained.profile_note;
      }
      results.push_back(std::move(chained));
    } else if (replayed) {
      name_rounding(*replayed);
      name_profile(steps, *replayed);
    }
    if (replayed) {
      results.push_back(std::move(*replayed));
    }
    weigh_evidence(golden_, static_cast<bool>(claimed_), results);
    if (options_.name_causes) {
      say_class(results);
      say_places(results);
    }
    return results;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Says which class the values betray. A failure in a wider one than theirs is judged in theirs,
  // too: where that passes, one line tells all.
  void say_class(std::vector<CaseResult>& results) {
    const AchievedClass achieved = achieved_class(taps_);
    for (CaseResult& result : results) {
      result.achieved_class = achieved.name();
    }
    if (achieved.precision == nullptr || achieved.precision == &floors_.precision()) {
      return;
    }
    const bool narrower = achieved.precision->bits < floors_.precision().bits;
    const bool failed =
        std::ranges::find(results, Verdict::kFail, &CaseResult::verdict) != results.end();
    if (narrower ? !failed : !floors_.precision().sixteen_bit) {
      return;  // nothing to explain, or a class that stores its values in fp32
    }
    std::string note = achieved.describe() + "; declare " + achieved.name();
    bool explains = false;
    if (narrower) {
      explains = passes_in(*achieved.precision);
      note += explains ? ", in which it passes" : ", in which it does not pass either";
    } else {
      note += ": class " + std::string(floors_.precision().name) + " judges it too mildly";
    }
    for (CaseResult& result : results) {
      result.class_note = note;
      result.class_explains = explains && result.verdict == Verdict::kFail;
    }
  }

  bool passes_in(const PrecisionClass& precision) const {
    JudgeOptions options;
    options.exact_dump = options_.exact_dump;
    options.known_roundings = options_.known_roundings;
    const auto results = judge_run(golden_, taps_, oracle_, precision, modes_, claimed_, options);
    return std::ranges::all_of(results, [](const CaseResult& result) {
      return result.verdict == Verdict::kPass || result.verdict == Verdict::kWarning;
    });
  }

  void say_places(std::vector<CaseResult>& results) {
    const bool failed = std::ranges::any_of(results, [](const CaseResult& result) {
      return result.verdict == Verdict::kFail && !result.class_explains;
    });
    if (!failed) {
      return;
    }
    Implementation* f64 = oracle_ == nullptr ? nullptr : &oracle_->f64();
    const PromptFacts facts = prompt_facts(f64, golden_);
    for (CaseResult& result : results) {
      say_where(golden_, taps_, facts, result);
      if (f64 != nullptr) {
        say_ids(*f64, result);
      }
    }
  }

  // Where an embedding is wrong: whose it is.
  void say_ids(Implementation& f64, CaseResult& result) const {
    for (const std::string& name : result.introduced_by) {
      TapResult* tap = find_result(result, name);
      const Tap* got = taps_.find(name);
      if (tap != nullptr && got != nullptr && is_of_ids(name)) {
        const std::string ids = other_ids(f64, golden_, *got, vocabulary());
        tap->signature += (tap->signature.empty() || ids.empty() ? "" : "; ") + ids;
        return;
      }
    }
  }

  std::size_t vocabulary() const {
    for (const TapSet* taps : {&golden_.truth, &taps_}) {
      for (const Tap& tap : *taps) {
        if (role_of(tap.name).logits && !tap.shape.empty()) {
          return tap.shape.back();
        }
      }
    }
    return 0;
  }

  // The truth's choices that the golden does not keep, or keeps without what they were made from,
  // and the dump shows, in classes whose errors end to end are large enough to change some.
  TapSet other_choices() const {
    const PrecisionClass& precision = floors_.precision();
    const auto is_other = [&](const std::string& name) {
      const bool weighed = golden_.truth.has(name) && golden_.truth.has(scores_of_choice(name));
      return is_choice(name) && taps_.has(name) && !weighed;
    };
    const bool coarse = precision.sixteen_bit || precision.rounding.stored_products;
    if (!coarse || std::ranges::none_of(taps_.names(), is_other)) {
      return {};
    }
    return golden_from_run(oracle_->f64(), golden_.input, is_other).truth;
  }

  // Leaves out what is not claimed.
  void narrow(CaseResult& result) const {
    if (!claimed_ || result.verdict == Verdict::kHarnessError) {
      return;
    }
    const auto other = [&](const std::string& tap) { return !claimed_(tap); };
    std::erase_if(result.taps, [&](const TapResult& tap) { return other(tap.tap); });
    std::erase_if(result.introduced_by, other);
    std::erase_if(result.inherited, other);
    conclude(result);
  }

  // Says which known rounding explains failing taps. Where a dump shows so little that one flipped
  // integer spoils the next tap, it is judged in class int8 instead.
  void name_rounding(CaseResult& replayed) {
    if (!options_.name_causes) {
      return;
    }
    const auto found = name_roundings(oracle_->f64(), golden_.input, taps_, floors_, replayed);
    replayed.rounding_note = found.note;
    if (!found.note.empty() || !found.stored_products ||
        floors_.precision().rounding.stored_products) {
      return;
    }
    const Floors of_int8 =
        floors_for(golden_, taps_.names(), oracle_, *find_precision("int8"), {Mode::kReplay});
    const CaseResult judged = replay(oracle_->f64(), golden_.input, taps_, of_int8);
    if (judged.introduced_by.empty() && judged.verdict != Verdict::kHarnessError) {
      replayed.rounding_note =
          "right in class int8: off by what rounding activations before a product gives, to 8 bits "
          "a block where the weight is stored in blocks (ggml's CPU kernels)";
    }
  }

  // Looks for the profile that a failing run follows, and writes what it finds into the result.
  void name_profile(const CaseResult* replayed, CaseResult& result) {
    const bool by_replay = replayed != nullptr && !replayed->introduced_by.empty();
    const CaseResult& judged = by_replay ? *replayed : result;
    if (judged.verdict != Verdict::kFail || oracle_ == nullptr || !options_.name_causes) {
      return;
    }
    const auto match =
        which_profile(oracle_->f64_of_any_profile(), {golden_, taps_, floors_, by_replay}, judged);
    if (!match.profile.empty()) {
      result.matches_profile = match.profile;
      result.profile_note = describe_match(match, golden_.profile);
    }
  }

  // Seconds since the last one.
  double lap() {
    const auto now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

  const Golden& golden_;
  const TapSet& taps_;
  Oracle* oracle_;
  const std::set<Mode>& modes_;
  const TapFilter& claimed_;
  const JudgeOptions& options_;
  Clock::time_point last_ = Clock::now();
  Floors floors_;
};

}  // namespace

std::vector<CaseResult> judge_run(const Golden& golden, const TapSet& taps, Oracle* oracle,
                                  const PrecisionClass& precision, const std::set<Mode>& modes,
                                  const TapFilter& claimed, const JudgeOptions& options) {
  for (const Mode mode : modes) {
    if (!is_runnable(mode)) {
      throw HarnessError(std::string("mode ") + mode_name(mode) + ": not supported yet");
    }
  }
  if (oracle == nullptr && modes.contains(Mode::kReplay)) {
    throw HarnessError("mode replay: got no oracle, expected one");
  }
  return RunJudge(golden, taps, oracle, precision, modes, claimed, options).judge();
}

}  // namespace assay::conformance
