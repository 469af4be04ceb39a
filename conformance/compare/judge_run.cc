// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/judge_run.h"

#include <chrono>
#include <optional>

#include "conformance/compare/blame.h"
#include "conformance/compare/calibrate.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/evidence.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/known_rounding.h"
#include "conformance/compare/replay.h"
#include "conformance/compare/which_profile.h"

namespace assay::conformance {

// Stored floors where the golden has all of them, measured ones otherwise.
Floors floors_for(const Golden& golden, const std::set<std::string>& taps, Oracle* oracle,
                  const PrecisionClass& precision, const std::set<Mode>& modes) {
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
        name_causes_(options.name_causes),
        floors_(options.floors != nullptr
                    ? *options.floors
                    : floors_for(golden, taps.names(), oracle, precision, modes)) {}

  std::vector<CaseResult> judge() {
    std::optional<CaseResult> replayed;
    if (modes_.contains(Mode::kReplay)) {
      replayed = replay(oracle_->f64(), golden_.input, taps_, floors_);
      narrow(*replayed);
      name_rounding(*replayed);
      replayed->seconds = lap();
    }
    std::vector<CaseResult> results;
    const CaseResult* steps = replayed ? &*replayed : nullptr;
    if (modes_.contains(Mode::kChained)) {
      CaseResult chained = compare_chained(golden_, taps_, floors_);
      narrow(chained);
      blame(chained, steps, oracle_ != nullptr);
      name_profile(steps, chained);
      chained.seconds = lap();
      if (replayed) {
        chained.rounding_note = replayed->rounding_note;
        replayed->matches_profile = chained.matches_profile;
        replayed->profile_note = chained.profile_note;
      }
      results.push_back(std::move(chained));
    } else if (replayed) {
      name_profile(steps, *replayed);
    }
    if (replayed) {
      results.push_back(std::move(*replayed));
    }
    weigh_evidence(golden_, static_cast<bool>(claimed_), results);
    return results;
  }

 private:
  using Clock = std::chrono::steady_clock;

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
    if (!name_causes_) {
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
    if (judged.verdict != Verdict::kFail || oracle_ == nullptr || !name_causes_) {
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
  bool name_causes_;
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
