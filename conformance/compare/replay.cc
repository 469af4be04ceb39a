// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/replay.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/blame.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/judge.h"

namespace assay::conformance {
namespace {

bool is_no_number(const std::string& code) {
  return code == "NAN" || code == "INF" || code == "PAD_NAN";
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
    if (tap.verdict == Verdict::kFail) {
      (carries_on(step, tap) ? result_.inherited : result_.introduced_by).push_back(tap.tap);
      note_size(step);
    }
    poisoned_ = poisoned_ || is_no_number(tap.code);
    result_.taps.push_back(std::move(tap));
  }

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

 private:
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
  bool poisoned_ = false;
  std::set<std::string> resized_;  // media items: "media.0."
  std::size_t near_ties_ = 0;      // rows
  std::size_t excused_ = 0;
  std::vector<std::string> excused_taps_;
};

// Nearer steps take the place of others. Both are of the same taps in the same order.
void keep_nearer(std::vector<Comparison>& steps, const std::vector<Comparison>& others) {
  for (std::size_t i = 0; i < std::min(steps.size(), others.size()); ++i) {
    const bool real = steps[i].kind == Comparison::Kind::kReal &&
                      others[i].kind == Comparison::Kind::kReal && steps[i].tap == others[i].tap;
    if (real && others[i].errors.rel_l2() < steps[i].errors.rel_l2()) {
      steps[i] = others[i];
    }
  }
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

std::vector<Rounding> ways_to_round(const Rounding& rounding) {
  std::vector<Rounding> ways = {rounding};
  if (rounding.stored_products) {
    ways.resize(5, rounding);
    ways[1].half_way = HalfWay::kUp;
    ways[2].half_way = HalfWay::kDown;
    ways[3].gelu = GeluForm::kF16Table;
    ways[4].stored_products = false;
  }
  return ways;
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
  std::vector<Comparison> steps;
  std::vector<std::string> model_taps;
  for (const Rounding& rounding : ways) {
    ReplayListener listener(
        dump, input, floors.precision().largest,
        [&](const std::string& scores, double score_rms) {
          return score_gap(floors.replay(scores), score_rms);
        },
        replaced);
    RunOptions options;
    options.rounding = rounding;
    if (const Status status = f64.run(input, options, listener); !status.ok()) {
      result.verdict = Verdict::kHarnessError;
      result.message = "replay: " + status.message;
      return result;
    }
    if (steps.empty()) {
      steps = std::move(listener.finish());
      model_taps = listener.model_taps();
    } else {
      keep_nearer(steps, listener.finish());
    }
  }
  Verdicts verdicts(floors, result);
  for (const Comparison& step : steps) {
    verdicts.add(step);
  }
  verdicts.limit_excuses();
  sort_by_execution(result.introduced_by);
  list_missing(model_taps, dump, result);
  conclude(result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace assay::conformance
