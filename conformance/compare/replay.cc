// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/replay.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/blame.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/rounding_verdicts.h"
#include "conformance/records/tap_order.h"

namespace assay::conformance {
namespace {

bool is_no_number(const std::string& code) {
  return code == "NAN" || code == "INF" || code == "PAD_NAN";
}

bool is_real(const Comparison& step) {
  return step.kind == Comparison::Kind::kReal;
}

// Judged steps, and what they have in common: excused choices, values that are no numbers, media
// items of another size.
class Verdicts {
 public:
  Verdicts(const Floors& floors, CaseResult& result) : floors_(floors), result_(result) {}

  void add(const Comparison& step) {
    TapResult tap = judge_step(step);
    if (step.left_out > 0) {
      add_note(tap, std::to_string(step.left_out) + " rows left out: what is chosen there is open" +
                        (step.open_choice.empty() ? "" : " since " + step.open_choice));
    }
    const auto honest = floors_.roundings(step.tap, step.roundings.fused);
    if (honest && is_real(step)) {
      roundings_.judge(step, *honest, floors_.precision(), tap);
    }
    if (tap.verdict == Verdict::kFail) {
      (carries_on(step, tap) ? result_.inherited : result_.introduced_by).push_back(tap.tap);
      note_size(step);
    }
    poisoned_ = poisoned_ || is_no_number(tap.code);
    result_.taps.push_back(std::move(tap));
  }

  void conclude() {
    limit_excuses();
    roundings_.conclude(result_);
  }

 private:
  // Near-ties are rare: too many are a wrong scale.
  void limit_excuses() {
    if (excused_ <= excusable(near_ties_)) {
      return;
    }
    for (TapResult& tap : result_.taps) {
      if (std::ranges::find(excused_taps_, tap.tap) != excused_taps_.end() &&
          tap.verdict != Verdict::kFail) {
        tap.verdict = Verdict::kFail;
        tap.code = "TIES";
        add_note(tap, std::to_string(excused_) + " of " + std::to_string(near_ties_) +
                          " near-ties were decided for the worse: too many");
        result_.introduced_by.push_back(tap.tap);
      }
    }
  }

  TapResult judge_step(const Comparison& step) {
    switch (step.kind) {
      case Comparison::Kind::kShape:
        return judge_shape(step.tap, step.got_shape, step.wanted_shape);
      case Comparison::Kind::kExact:
        return judge_equal(step.tap, step.exact);
      case Comparison::Kind::kChoice: {
        near_ties_ += step.choice.near;
        ChoiceVerdict verdict = judge_choice(step.tap, step.choice, floors_.replay(step.scores));
        if (verdict.excused > 0) {
          excused_ += verdict.excused;
          excused_taps_.push_back(step.tap);
        }
        return verdict.result;
      }
      case Comparison::Kind::kReal:
        break;
    }
    return judge(step.tap, step.errors, floors_.replay(step.tap).of_some_rows(step.some_rows),
                 replay_limits(floors_.precision()));
  }

  // An image of another size, or an audio clip of another length, has other shapes from there on.
  void note_size(const Comparison& step) {
    if (step.kind == Comparison::Kind::kShape || step.kind == Comparison::Kind::kExact) {
      resized_.insert(std::string(media_prefix(step.tap)));
    }
  }

  // NaN and infinity were kept out of the replay, so later ones are not recomputed: they come
  // from the first, unless the finite values are wrong, too.
  bool carries_on(const Comparison& step, const TapResult& tap) const {
    const std::string item(media_prefix(step.tap));
    if (!item.empty() && step.kind == Comparison::Kind::kShape && resized_.contains(item)) {
      return true;
    }
    if (!poisoned_ || !is_no_number(tap.code)) {
      return false;
    }
    Errors finite = step.errors;
    finite.nan = 0;
    finite.infinite = 0;
    finite.bad_padding = 0;
    return judge(step.tap, finite, floors_.replay(step.tap), replay_limits(floors_.precision()))
               .verdict != Verdict::kFail;
  }

  const Floors& floors_;
  CaseResult& result_;
  RoundingVerdicts roundings_;
  bool poisoned_ = false;
  std::set<std::string> resized_;  // media items: "media.0."
  std::size_t near_ties_ = 0;      // rows
  std::size_t excused_ = 0;
  std::vector<std::string> excused_taps_;
};

// Nearer steps take the place of others. Both are of the same taps in the same order.
void keep_nearer(std::vector<Comparison>& steps, const std::vector<Comparison>& others) {
  for (std::size_t i = 0; i < std::min(steps.size(), others.size()); ++i) {
    const bool real = is_real(steps[i]) && is_real(others[i]) && steps[i].tap == others[i].tap;
    if (real && others[i].errors.rel_l2() < steps[i].errors.rel_l2()) {
      steps[i] = others[i];
    }
  }
}

// The same of roundings alone. Relative L2 is that of the first. A step is single where no way of
// rounding within it changes what it gives.
void keep_nearer_roundings(std::vector<Comparison>& steps, const std::vector<Comparison>& others,
                           bool first) {
  for (std::size_t i = 0; i < std::min(steps.size(), others.size()); ++i) {
    Roundings& mine = steps[i].roundings;
    const Roundings& other = others[i].roundings;
    if (!is_real(steps[i]) || !is_real(others[i]) || steps[i].tap != others[i].tap) {
      continue;
    }
    if (first) {
      mine = other;
    }
    const bool single = mine.single && mine.digest == other.digest;
    const bool known = mine.known && other.known;
    const bool nearer = other.different < mine.different ||
                        (other.different == mine.different && other.excess < mine.excess);
    if (nearer && mine.count == other.count) {
      mine = other;
    }
    mine.single = single;
    mine.known = known;
  }
}

// Attention is fused in all layers of a program or in none: where more elements of all the steps
// that show it agree. `plain` is the same without.
void keep_fused_attention(std::vector<Comparison>& steps, const std::vector<Comparison>& plain,
                          const std::vector<Comparison>& fused) {
  std::vector<std::size_t> shown;
  std::size_t different = 0;
  std::size_t different_when_fused = 0;
  for (std::size_t i = 0; i < std::min({steps.size(), plain.size(), fused.size()}); ++i) {
    const bool real = is_real(steps[i]) && is_real(fused[i]) && steps[i].tap == fused[i].tap;
    if (real && plain[i].roundings.digest != fused[i].roundings.digest) {
      steps[i].roundings.single = false;
      shown.push_back(i);
      different += steps[i].roundings.different;
      different_when_fused += fused[i].roundings.different;
    }
  }
  for (const std::size_t i : shown) {
    if (different_when_fused < different) {
      const bool known = steps[i].roundings.known && fused[i].roundings.known;
      steps[i].roundings = fused[i].roundings;
      steps[i].roundings.known = known;
      steps[i].roundings.single = false;
      steps[i].roundings.fused = true;
    }
  }
}

// A dump replayed in several ways, of which the nearest is kept tap by tap.
class Replays {
 public:
  Replays(Implementation& f64, const CaseInput& input, const TapSet& dump, const Floors& floors,
          const TapFilter& replaced)
      : f64_(f64), input_(input), dump_(dump), floors_(floors), replaced_(replaced) {}

  Status run(const std::vector<Rounding>& ways) {
    for (const Rounding& rounding : ways) {
      if (Status status = run_once(rounding, {}); !status.ok()) {
        return status;
      }
    }
    if (!floors_.has_roundings()) {
      return {};
    }
    for (const RoundingPoints& points : known_rounding_points()) {
      if (Status status = run_once(ways.front(), points); !status.ok()) {
        return status;
      }
    }
    return {};
  }

  const std::vector<Comparison>& steps() const { return steps_; }
  const std::vector<std::string>& model_taps() const { return model_taps_; }

 private:
  Status run_once(const Rounding& rounding, const std::optional<RoundingPoints>& points);

  Implementation& f64_;
  const CaseInput& input_;
  const TapSet& dump_;
  const Floors& floors_;
  const TapFilter& replaced_;
  std::vector<Comparison> steps_;
  std::vector<Comparison> unfused_;  // of the last rounding points without fused attention
  std::vector<std::string> model_taps_;
  bool rounded_ = false;
};

Status Replays::run_once(const Rounding& rounding, const std::optional<RoundingPoints>& points) {
  ReplayListener listener(
      dump_, input_, floors_.precision().largest,
      [&](const std::string& scores, double score_rms) {
        return score_gap(floors_.replay(scores), score_rms);
      },
      replaced_);
  if (floors_.precision().sixteen_bit) {
    listener.round_what_is_taken_in(floors_.precision());
  }
  if (points) {
    listener.compare_roundings(floors_.precision(), *points);
  }
  RunOptions options;
  options.rounding = rounding;
  if (Status status = f64_.run(input_, options, listener); !status.ok()) {
    return status;
  }
  if (points && points->fused_attention) {
    keep_fused_attention(steps_, unfused_, listener.finish());
  } else if (points) {
    unfused_ = std::move(listener.finish());
    keep_nearer_roundings(steps_, unfused_, !std::exchange(rounded_, true));
  } else if (steps_.empty()) {
    steps_ = std::move(listener.finish());
    model_taps_ = listener.model_taps();
  } else {
    keep_nearer(steps_, listener.finish());
  }
  return {};
}

void list_missing(const std::vector<std::string>& model, const TapSet& dump, CaseResult& result) {
  for (const std::string& name : model) {
    const auto match = find_tap(name);
    if (!dump.has(name) && match && match->entry->mandatory) {
      result.not_provided.emplace_back(name, "not in the dump");
    }
  }
  for (const Tap& tap : dump) {
    if (std::ranges::find(model, tap.name) == model.end()) {
      result.not_provided.emplace_back(
          tap.name, find_tap(tap.name) ? "the model has no such tap" : "no tap of the catalogue");
    }
  }
}

}  // namespace

Rounding replay_rounding(const PrecisionClass& precision) {
  Rounding rounding = precision.rounding;
  rounding.fp32_rope_angles = false;
  return rounding;
}

std::array<Rounding, 2> other_half_ways(const Rounding& rounding) {
  std::array<Rounding, 2> ways = {rounding, rounding};
  ways[0].half_way = HalfWay::kUp;
  ways[1].half_way = HalfWay::kDown;
  return ways;
}

std::vector<Rounding> ways_to_round(const Rounding& rounding) {
  if (!rounding.stored_products) {
    return {rounding};
  }
  const auto [up, down] = other_half_ways(rounding);
  Rounding table = rounding;
  table.gelu = GeluForm::kF16Table;
  Rounding exact = rounding;
  exact.stored_products = false;
  return {rounding, up, down, table, exact};
}

CaseResult replay(Implementation& f64, const CaseInput& input, const TapSet& dump,
                  const Floors& floors) {
  return replay(f64, input, dump, floors, ways_to_round(replay_rounding(floors.precision())));
}

CaseResult replay(Implementation& f64, const CaseInput& input, const TapSet& dump,
                  const Floors& floors, const std::vector<Rounding>& ways,
                  const TapFilter& replaced) {
  const auto start = std::chrono::steady_clock::now();
  CaseResult result;
  result.mode = Mode::kReplay;
  result.precision = floors.precision().name;
  if (!f64.capabilities().forced_taps) {
    result.verdict = Verdict::kHarnessError;
    result.message = "replay needs an fp64 implementation that takes forced taps";
    return result;
  }
  Replays replays(f64, input, dump, floors, replaced);
  if (const Status status = replays.run(ways); !status.ok()) {
    result.verdict = Verdict::kHarnessError;
    result.message = "replay: " + status.message;
    return result;
  }
  Verdicts verdicts(floors, result);
  for (const Comparison& step : replays.steps()) {
    verdicts.add(step);
  }
  verdicts.conclude();
  sort_by_execution(result.introduced_by);
  list_missing(replays.model_taps(), dump, result);
  conclude(result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace assay::conformance
