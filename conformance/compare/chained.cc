// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/chained.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/blame.h"
#include "conformance/compare/comparison.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/judge.h"

namespace assay::conformance {
namespace {

class ChainedJudge {
 public:
  ChainedJudge(const Golden& golden, const TapSet& dump, const Floors& floors)
      : truth_(golden.truth),
        floors_(floors),
        comparer_(golden.truth, golden.input, floors.precision().largest) {
    list_open_choices(dump);
  }

  TapResult judge_tap(const Tap& got) {
    if (flipped_.empty() && !open_choices_.empty() &&
        execution_key(open_choices_.front()) < execution_key(got.name)) {
      flipped_ = open_choices_.front();
    }
    const Comparison step = comparer_.compare(got);
    TapResult result = judge_step(step);
    const bool of_size = result.code == "TOL" || (is_choice(got.name) && result.code == "DISCRETE");
    const bool excused_now = step.kind == Comparison::Kind::kChoice &&
                             step.choice.sets.different > 0 && result.verdict != Verdict::kFail;
    if (of_size && !flipped_.empty()) {
      soften(result, "conditioned on the near-tie at " + flipped_);
    } else if (of_size && floors_.precision().sixteen_bit && !role_of(got.name).output) {
      soften(result, "informative in 16 bits");
    }
    const bool soft_flip = is_choice(got.name) && result.verdict == Verdict::kWarning;
    if (flipped_.empty() && (excused_now || soft_flip)) {
      flipped_ = got.name;
    }
    return result;
  }

 private:
  TapResult judge_step(const Comparison& step) const {
    switch (step.kind) {
      case Comparison::Kind::kShape:
        return judge_shape(step.tap, step.got_shape, step.wanted_shape);
      case Comparison::Kind::kExact:
        return judge_equal(step.tap, step.exact);
      case Comparison::Kind::kChoice:
        return judge_choice(step.tap, step.choice, floors_.chained(scores_of_choice(step.tap)))
            .result;
      case Comparison::Kind::kReal:
        break;
    }
    return judge(step.tap, step.errors, floors_.chained(step.tap).of_some_rows(step.some_rows),
                 chained_limits(floors_.precision()));
  }

  // Choices that the dump does not show and that may have gone the other way.
  void list_open_choices(const TapSet& dump) {
    for (const Tap& choice : truth_) {
      if (is_choice(choice.name) && !dump.has(choice.name) && has_near_tie(choice)) {
        open_choices_.push_back(choice.name);
      }
    }
    sort_by_execution(open_choices_);
  }

  bool has_near_tie(const Tap& choice) const {
    const std::string name = scores_of_choice(choice.name);
    const Tap* scores = truth_.find(name);
    if (scores == nullptr) {
      return false;
    }
    const double gap = score_gap(floors_.chained(name), rms(scores->values));
    return std::ranges::any_of(near_ties(choice, *scores, gap), [](char row) { return row != 0; });
  }

  const TapSet& truth_;
  const Floors& floors_;
  TruthComparer comparer_;
  std::vector<std::string> open_choices_;
  std::string flipped_;
};

std::vector<const Tap*> in_execution_order(const TapSet& taps) {
  std::vector<const Tap*> order;
  for (const Tap& tap : taps) {
    order.push_back(&tap);
  }
  std::ranges::stable_sort(order, {}, [](const Tap* tap) { return execution_key(tap->name); });
  return order;
}

std::string why_no_truth(const Golden& golden, const std::string& tap) {
  if (!find_tap(tap)) {
    return "no tap of the catalogue";
  }
  const std::string reason = golden.reason_not_provided(tap);
  return reason.empty() ? "the golden has no such tap" : reason;
}

}  // namespace

CaseResult compare_chained(const Golden& golden, const TapSet& dump, const Floors& floors) {
  const auto start = std::chrono::steady_clock::now();
  CaseResult result;
  result.mode = Mode::kChained;
  result.case_name = golden.case_name;
  result.checkpoint = golden.checkpoint;
  result.precision = floors.precision().name;
  ChainedJudge judge(golden, dump, floors);
  for (const Tap* tap : in_execution_order(dump)) {
    if (golden.truth.has(tap->name)) {
      result.taps.push_back(judge.judge_tap(*tap));
    } else {
      result.not_provided.emplace_back(tap->name, why_no_truth(golden, tap->name));
    }
  }
  for (const Tap& tap : golden.truth) {
    if (!dump.has(tap.name)) {
      result.not_provided.emplace_back(tap.name, "not in the dump");
    }
  }
  conclude(result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

Golden golden_from_run(Implementation& f64, const CaseInput& input, const TapFilter& filter) {
  CollectingListener listener(filter);
  require_ok(f64.run(input, {}, listener), "", "the run for the truth");
  listener.check();
  Golden golden;
  golden.oracle = f64.capabilities().name + ", " + f64.capabilities().precision;
  golden.profile = "REF";
  golden.input = input;
  golden.truth = std::move(listener.taps());
  return golden;
}

TapFilter with_consulted(const std::set<std::string>& taps) {
  auto names = std::make_shared<std::set<std::string>>(taps);
  for (const std::string& tap : taps) {
    for (const std::string& name : consulted_taps(tap)) {
      names->insert(name);
    }
  }
  return [names](const std::string& name) { return names->contains(name) || is_watched(name); };
}

}  // namespace assay::conformance
