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
#include "conformance/compare/open_rows.h"
#include "conformance/records/tap_order.h"

namespace assay::conformance {
namespace {

class ChainedJudge {
 public:
  ChainedJudge(const Golden& golden, const TapSet& dump, const Floors& floors, bool end_to_end,
               const TapSet& choices)
      : truth_(golden.truth),
        dump_(dump),
        choices_(choices),
        floors_(floors),
        end_to_end_(end_to_end),
        comparer_(golden.truth, golden.input, floors.precision().largest),
        open_(golden.input) {
    list_open_choices();
  }

  TapResult judge_tap(const Tap& got) {
    open_unseen(got.name);
    const Comparison step = comparer_.compare(got, &open_);
    TapResult result = judge_step(step);
    if (step.left_out > 0) {
      add_note(result, std::to_string(step.left_out) + " rows are conditioned on the near-tie at " +
                           step.open_choice + " and left out");
    }
    const bool of_size = result.code == "TOL" || (is_choice(got.name) && result.code == "DISCRETE");
    if (end_to_end_ && of_size && floors_.precision().sixteen_bit && !role_of(got.name).output) {
      soften(result, "informative in 16 bits");
    }
    if (result.code == "DISCRETE" && choices_.has(got.name)) {
      soften(result, "the golden does not keep its scores: whether it may, the replay says");
    }
    if (step.kind == Comparison::Kind::kChoice && result.verdict != Verdict::kFail) {
      open_.open(got.name, step.choice.rows);
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
        return judge_choice(step.tap, step.choice, floors_.chained(step.scores)).result;
      case Comparison::Kind::kReal:
        break;
    }
    return judge(step.tap, step.errors, floors_.chained(step.tap).of_some_rows(step.some_rows),
                 chained_limits(floors_.precision()));
  }

  // Choices that the dump or the golden does not show and that may have gone the other way.
  void list_open_choices() {
    for (const Tap& choice : truth_) {
      if (is_choice(choice.name) && !dump_.has(choice.name)) {
        unseen_.push_back(choice.name);
      }
    }
    for (const Tap& choice : choices_) {
      const Tap* got = dump_.find(choice.name);
      if (got != nullptr && got->values.size() == choice.values.size() &&
          !truth_.has(choice.name)) {
        unseen_.push_back(choice.name);
      }
    }
    sort_by_execution(unseen_);
  }

  // Those that come before a tap.
  void open_unseen(const std::string& tap) {
    while (next_unseen_ < unseen_.size() &&
           execution_key(unseen_[next_unseen_]) < execution_key(tap)) {
      const std::string& choice = unseen_[next_unseen_++];
      if (truth_.has(choice)) {
        open_near_ties(truth_.at(choice));
      } else {
        open_.open(choice,
                   measure_choice(choices_.at(choice), dump_.at(choice).values, nullptr).rows);
      }
    }
  }

  void open_near_ties(const Tap& choice) {
    const std::string name = scores_of_choice(choice.name);
    if (const Tap* scores = truth_.find(name)) {
      const double gap = score_gap(floors_.chained(name), rms(scores->values));
      open_.open(choice.name, near_ties(choice, *scores, gap));
    }
  }

  const TapSet& truth_;
  const TapSet& dump_;
  const TapSet& choices_;
  const Floors& floors_;
  bool end_to_end_;
  TruthComparer comparer_;
  OpenRows open_;
  std::vector<std::string> unseen_;
  std::size_t next_unseen_ = 0;
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

CaseResult compare_chained(const Golden& golden, const TapSet& dump, const Floors& floors,
                           bool end_to_end, const TapSet& choices) {
  const auto start = std::chrono::steady_clock::now();
  CaseResult result;
  result.mode = Mode::kChained;
  result.case_name = golden.case_name;
  result.checkpoint = golden.checkpoint;
  result.precision = floors.precision().name;
  ChainedJudge judge(golden, dump, floors, end_to_end, choices);
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
