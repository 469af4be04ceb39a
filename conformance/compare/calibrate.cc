// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/calibrate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/comparison.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/inner_rounding.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/other_gelu.h"
#include "conformance/compare/products.h"
#include "conformance/compare/replay.h"

namespace assay::conformance {
namespace {

// Replays a dump, and notes how far the values that it was rounded from are off the formula's.
class SpreadListener : public ReplayListener {
 public:
  SpreadListener(const TapSet& dump, const TapSet& unrounded, const CaseInput& input,
                 const PrecisionClass& precision, TapFilter replaced)
      : ReplayListener(dump, input, precision.largest, {}, std::move(replaced)),
        unrounded_(unrounded),
        precision_(precision) {}
  const std::map<std::string, FloatSpread>& spreads() const { return spreads_; }

 protected:
  void receive(Tap& tap) override {
    if (const Tap* was = unrounded_.find(tap.name);
        was != nullptr && !is_discrete(tap) && was->values.size() == tap.values.size()) {
      spreads_[tap.name] = measure_spread(tap.values, was->values, precision_);
    }
    ReplayListener::receive(tap);
  }

 private:
  const TapSet& unrounded_;
  const PrecisionClass& precision_;
  std::map<std::string, FloatSpread> spreads_;
};

class Calibration {
 public:
  Calibration(Implementation& f64, Implementation& f32, const CaseInput& input,
              const std::set<std::string>& taps, const PrecisionClass& precision,
              const CalibrationOptions& options)
      : f64_(f64),
        f32_(f32),
        input_(input),
        taps_(taps),
        precision_(precision),
        options_(options),
        watched_([consulted = with_consulted(taps)](const std::string& name) {
          return is_angle(name) || consulted(name);
        }),
        floors_(precision) {}

  Floors measure() {
    if (options_.chained) {
      truth_ = golden_from_run(f64_, input_, watched_).truth;
      forced_ = &truth_;
    }
    precision_.rounds_taps ? measure_rounding() : measure_float();
    return std::move(floors_);
  }

 private:
  // One honest run in the class. `keep` gathers what is to be replayed.
  struct Member {
    Implementation& build;
    RunOptions run;
    std::uint64_t seed;
    bool rounds;
    bool noisy;
    bool forced;
    bool other_gelu = false;
  };

  void measure_float();
  void measure_rounding();
  bool run_member(const Member& member, TapSet* keep, const TapFilter& filter,
                  SafeListener* unrounded = nullptr);
  void replay_member(const TapSet& dump);
  void replay_member(const TapSet& dump, const Rounding& rounding, const TapFilter& raised);
  bool has_hidden_input(const std::string& name) const;
  void count_roundings(const TapSet& dump, const RoundingPoints& points,
                       const TapSet& unrounded = {});
  void count_fused_attention();
  void measure_steps(const TapSet& dump);
  void follow(const Member& member, bool replayed);
  void raise_chained(TruthComparer& comparer, const Tap& tap, bool& flipped);
  std::size_t noise_members() const;
  bool compares_roundings() const {
    return precision_.sixteen_bit && options_.exact_dump && options_.known_roundings;
  }
  void round_taps(TapSet& taps) const;

  Implementation& f64_;
  Implementation& f32_;
  const CaseInput& input_;
  const std::set<std::string>& taps_;
  const PrecisionClass& precision_;
  const CalibrationOptions& options_;
  TapFilter watched_;
  Floors floors_;
  TapSet truth_;
  const TapSet* forced_ = nullptr;
  std::map<std::string, double> step_sizes_;  // of the float build, by kind of tap
  std::size_t elements_ = 0;                  // of all taps
};

// A member whose free choice differs from the truth's says nothing about rounding after it.
void Calibration::raise_chained(TruthComparer& comparer, const Tap& tap, bool& flipped) {
  if (flipped || !truth_.has(tap.name)) {
    return;
  }
  const Comparison step = comparer.compare(tap);
  if (step.kind == Comparison::Kind::kChoice) {
    flipped = step.choice.sets.different > 0;
  } else if (step.kind == Comparison::Kind::kReal) {
    floors_.raise_chained(tap.name, step.errors);
  }
}

bool Calibration::run_member(const Member& member, TapSet* keep, const TapFilter& filter,
                             SafeListener* unrounded) {
  CollectingListener collect(filter);
  TruthComparer comparer(truth_, input_, precision_.largest);
  bool flipped = false;
  CallingListener meter([&](const std::string& name) { return truth_.has(name); },
                        [&](Tap& tap) { raise_chained(comparer, tap, flipped); });
  std::vector<SafeListener*> next;
  if (keep != nullptr) {
    next.push_back(&collect);
  }
  if (options_.chained) {
    next.push_back(&meter);
  }
  const TapSet* forced = member.forced ? forced_ : nullptr;
  std::unique_ptr<SafeListener> listener;
  if (member.rounds) {
    listener = std::make_unique<RoundingListener>(precision_, member.seed, forced, next, unrounded);
  } else if (member.noisy) {
    listener = std::make_unique<NoiseListener>(step_sizes_, member.seed, forced, next);
  } else if (member.other_gelu) {
    listener = std::make_unique<OtherGelu>(forced, next);
  } else {
    listener = std::make_unique<ChangingListener>(forced, next);
  }
  const Status status = member.build.run(input_, member.run, *listener);
  if (status.code == StatusCode::kBadInput) {
    throw Error(status.message);  // the case's fault, not the build's
  }
  if (!status.ok()) {
    return false;
  }
  listener->check();
  collect.check();
  meter.check();
  if (keep != nullptr) {
    *keep = std::move(collect.taps());
  }
  return true;
}

// Own steps at the granularity of the dump that will be judged.
void Calibration::replay_member(const TapSet& dump) {
  const Rounding rounding = replay_rounding(precision_);
  replay_member(dump, rounding, {});
  const auto hidden = [&](const std::string& name) { return has_hidden_input(name); };
  if (rounding.stored_products && std::ranges::any_of(taps_, hidden)) {
    for (const Rounding& way : other_half_ways(rounding)) {
      replay_member(dump, way, hidden);
    }
  }
}

// A product of what the dump does not show: an honest program may have rounded some of it to the
// other side.
bool Calibration::has_hidden_input(const std::string& name) const {
  const auto product = input_of_product(name);
  return product && (product->half || !taps_.contains(product->tap));
}

void Calibration::replay_member(const TapSet& dump, const Rounding& rounding,
                                const TapFilter& raised) {
  ReplayListener listener(dump, input_, precision_.largest, {},
                          [&](const std::string& name) { return taps_.contains(name); });
  RunOptions run;
  run.rounding = rounding;
  require_ok(f64_.run(input_, run, listener), "", "the replay of a calibration run");
  for (const Comparison& step : listener.finish()) {
    if (step.kind == Comparison::Kind::kReal && (!raised || raised(step.tap))) {
      floors_.raise_replay(step.tap, step.errors);
    }
    if (is_angle(step.tap)) {
      double& size = step_sizes_[tap_kind(step.tap)];
      size = std::max(size, kAngleSpread * step.errors.rel_l2());
    }
  }
}

// How often a program that rounds at these points falls on the other side of a boundary.
void Calibration::count_roundings(const TapSet& dump, const RoundingPoints& points,
                                  const TapSet& unrounded) {
  if (!compares_roundings()) {
    return;
  }
  SpreadListener listener(dump, unrounded, input_, precision_,
                          [&](const std::string& name) { return taps_.contains(name); });
  listener.compare_roundings(precision_, points);
  RunOptions run;
  run.rounding = replay_rounding(precision_);
  require_ok(f64_.run(input_, run, listener), "", "the replay of a calibration run");
  for (const Comparison& step : listener.finish()) {
    if (step.kind == Comparison::Kind::kReal) {
      floors_.raise_roundings(step.tap, step.roundings, points.fused_attention);
    }
  }
  for (const auto& [tap, spread] : listener.spreads()) {
    floors_.raise_spread(tap, spread);
  }
}

// The same of a program with fused attention, which has exponentials of its own.
void Calibration::count_fused_attention() {
  if (!compares_roundings()) {
    return;
  }
  CollectingListener dump(watched_);
  RoundingPoints points = known_rounding_points().back();
  points.exp_spread = kFastExp;
  InnerRoundingListener program(precision_, points, dump);
  RunOptions run;
  run.rounding = replay_rounding(precision_);
  require_ok(f64_.run(input_, run, program), "", "a program with fused attention");
  program.check();
  dump.check();
  count_roundings(dump.taps(), known_rounding_points().back());
}

// Own steps of every single tap: the size of the noise. Products take what any order may take.
void Calibration::measure_steps(const TapSet& dump) {
  ReplayListener listener(dump, input_, precision_.largest);
  RunOptions run;
  run.rounding = replay_rounding(precision_);
  require_ok(f64_.run(input_, run, listener), "", "the replay of the float run");
  for (const Comparison& step : listener.finish()) {
    if (step.kind == Comparison::Kind::kReal && std::isfinite(step.errors.rel_l2())) {
      double& size = step_sizes_[tap_kind(step.tap)];
      size = std::max(size, step.errors.rel_l2());
    }
  }
  const double u = find_precision("f32")->unit_roundoff();
  for (const Tap& tap : dump) {
    elements_ += tap.values.size();
    if (const double units = product_step(tap, dump); units > 0) {
      double& size = step_sizes_[tap_kind(tap.name)];
      size = std::max(size, units * u);
    }
  }
}

void Calibration::follow(const Member& member, bool replayed) {
  TapSet kept;
  const bool replays = replayed && options_.replay;
  if (!replays && !options_.chained) {
    return;
  }
  if (run_member(member, replays ? &kept : nullptr, watched_) && replays) {
    replay_member(kept);
    if (member.rounds) {
      count_roundings(kept, {.at_taps = true});
    }
  }
}

std::size_t Calibration::noise_members() const {
  if (options_.noise_members > 0) {
    return options_.noise_members;
  }
  if (elements_ > kLargeCase) {
    return kNoiseMembers / 4;
  }
  return elements_ > kMediumCase ? kNoiseMembers / 2 : kNoiseMembers;
}

void Calibration::measure_float() {
  const bool forced = f32_.capabilities().forced_taps;
  RunOptions honest;
  honest.rounding = precision_.rounding;
  {
    TapSet plain;
    if (!run_member({f32_, honest, 0, false, false, forced}, &plain, {})) {
      throw HarnessError("the float build cannot run the case that is to be calibrated");
    }
    measure_steps(plain);
    if (options_.replay) {
      replay_member(plain);
    }
  }
  RunOptions angles = honest;
  angles.rounding.fp32_rope_angles = true;
  const bool other_gelu = forced && honest.rounding.gelu == GeluForm::kExact;
  follow({f32_, angles, 0, false, false, forced, other_gelu}, true);
  const bool blocks = std::ranges::any_of(input_.token_types, [](int t) { return t != 0; });
  if (f32_.capabilities().chunked_prefill && !blocks && input_.ids.size() > kCalibrationChunk) {
    RunOptions chunks = honest;
    chunks.prefill_chunk = kCalibrationChunk;
    follow({f32_, chunks, 0, false, false, false}, true);
  }
  const std::size_t members =
      options_.chained ? noise_members() : std::min(kReplayNoiseMembers, noise_members());
  for (std::size_t m = 0; m < members; ++m) {
    follow({f64_, honest, options_.seed + m, false, true, true}, m < kReplayNoiseMembers);
  }
}

// As a program that computes in fp32 writes its dump.
void Calibration::round_taps(TapSet& taps) const {
  for (const std::string& name : taps.names()) {
    Tap& tap = *taps.find(name);
    if (!is_discrete(tap)) {
      for (double& value : tap.values) {
        value = round_to_class(value, precision_);
      }
    }
  }
}

void Calibration::measure_rounding() {
  if (!f32_.capabilities().forced_taps) {
    throw HarnessError("class " + std::string(precision_.name) +
                       " is emulated by a float build that takes forced taps");
  }
  RunOptions rounding;
  rounding.rounding = precision_.rounding;
  RunOptions exact_angles = rounding;
  exact_angles.rounding.fp32_rope_angles = false;
  {
    TapSet nearest;
    const bool compares = options_.replay && compares_roundings();
    CollectingListener unrounded(
        [&](const std::string& name) { return compares && taps_.contains(name); });
    if (!run_member({f32_, rounding, 0, true, false, true}, &nearest, watched_, &unrounded)) {
      throw HarnessError("the float build cannot run the case that is to be calibrated");
    }
    unrounded.check();
    for (const Tap& tap : nearest) {
      elements_ += tap.values.size();
    }
    if (options_.replay) {
      replay_member(nearest);
      count_roundings(nearest, {.at_taps = true}, unrounded.taps());
      count_fused_attention();
    }
  }
  follow({f32_, exact_angles, 0, true, false, true}, true);
  if (!options_.exact_dump && options_.replay) {
    TapSet dumped;
    if (run_member({f32_, rounding, 0, false, false, true}, &dumped, watched_)) {
      round_taps(dumped);
      replay_member(dumped);
    }
  }
  for (std::size_t m = 0; options_.chained && m < noise_members(); ++m) {
    follow({f32_, rounding, options_.seed + m, true, false, true}, false);
  }
}

}  // namespace

Floors calibrate(Implementation& f64, Implementation& f32, const CaseInput& input,
                 const std::set<std::string>& taps, const PrecisionClass& precision,
                 const CalibrationOptions& options) {
  if (!f64.capabilities().forced_taps) {
    throw HarnessError("calibration needs an fp64 build that takes forced taps");
  }
  return Calibration(f64, f32, input, taps, precision, options).measure();
}

}  // namespace assay::conformance
