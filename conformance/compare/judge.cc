// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/judge.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/shapes.h"
#include "conformance/compare/signature.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

std::string short_number(double value) {
  std::ostringstream text;
  text.precision(3);
  text << value;
  return text.str();
}

void fail(TapResult& result, const char* code, const std::string& note) {
  if (result.verdict != Verdict::kFail) {
    result.code = code;  // the first reason found is the code
  }
  result.verdict = Verdict::kFail;
  add_note(result, note);
}

std::string place(std::size_t position, const Errors& errors) {
  return shape_string(unravel(position, errors.shape));
}

std::string counted(std::size_t count, const char* thing) {
  return std::to_string(count) + " " + thing;
}

// A failure stays one.
void leave_untested(TapResult& result, const char* code, const std::string& why) {
  add_note(result, why);
  if (result.verdict != Verdict::kFail) {
    result.verdict = Verdict::kNotTested;
    result.code = code;
  }
}

void judge_special_values(const Errors& errors, const Limits& limits, TapResult& result) {
  if (errors.nan > 0) {
    fail(result, "NAN",
         counted(errors.nan, "values are no numbers, first at ") + place(errors.first_bad, errors));
  }
  if (errors.infinite > 0) {
    fail(result, errors.nan > 0 ? "NAN" : "INF",
         counted(errors.infinite, "values are infinite, first at ") +
             place(errors.first_bad, errors));
  }
  if (errors.bad() > 0) {
    result.where = unravel(errors.first_bad, errors.shape);
  }
  if (errors.bad_padding > 0) {
    fail(result, "PAD_NAN",
         counted(errors.bad_padding, "values in rows of padding are no numbers, first at ") +
             place(errors.first_bad_padding, errors));
  }
  if (errors.leaks > 0) {
    fail(result, "MASK_LEAK",
         counted(errors.leaks, "hidden keys have a probability, first ") +
             short_number(errors.leak) + " at " + place(errors.first_leak, errors));
  }
  const double u = std::max(limits.roundoff, kSmallestProbabilityUnit);
  const double keys = errors.shape.empty() ? 1 : static_cast<double>(errors.shape.back());
  const double allowed = kProbabilitySum * u * std::sqrt(keys) + u;
  if (errors.worst_sum > allowed || errors.worst_range > u) {
    fail(result, "NOT_PROB",
         "rows of probabilities are off 1 by " +
             short_number(std::max(errors.worst_sum, errors.worst_range)));
  }
}

// A truth that is all zero has no relative error.
void judge_zero(const Errors& errors, const Limits& limits, TapResult& result) {
  result.rel_l2 = kNotMeasured;
  result.budget = kNotMeasured;
  result.in_bound_units = kNotMeasured;
  if (errors.max_abs > std::max(limits.roundoff, limits.smallest_budget) * errors.scale) {
    fail(result, "NONZERO", "the truth is all zero");
  }
}

// Numbers as small as the class's subnormal ones have fewer digits: the floor has an absolute part.
// What was rounded inside a softcap comes out multiplied by the cap.
TapFloor with_absolute_part(TapFloor floor, const std::string& tap, const Errors& errors,
                            const Limits& limits) {
  const double step = limits.smallest_roundoff * (role_of(tap).logits ? kInnerScale : 1);
  const double rms = std::sqrt(errors.sum_truth2 / static_cast<double>(errors.count));
  floor.rel_l2 = std::max(floor.rel_l2, step / rms);
  if (errors.worst_row_rms > 0) {
    floor.row = std::max(floor.row, step / errors.worst_row_rms);  // a NaN stays
  }
  return floor;
}

// Rows are wrong that are clearly off by more than the tensor may be, and not by a trace of the
// worst.
void note_rows(const Errors& errors, TapResult& result) {
  result.rows = errors.by_row.size();
  if (errors.by_row.empty()) {
    return;
  }
  const double worst = std::ranges::max(errors.by_row);
  const double least = std::isfinite(result.budget) ? kClearly * result.budget : 0;
  for (std::size_t row = 0; row < errors.by_row.size(); ++row) {
    if (errors.by_row[row] > std::max(least, worst * kRowShare)) {
      result.wrong_rows.push_back(row);
    }
  }
}

void judge_size(const Errors& errors, const TapFloor& floor, const Limits& limits,
                TapResult& result) {
  const double factor = floor.source == "predicted" ? kUnmeasuredFactor : 1;
  result.floor = floor.rel_l2;
  result.budget = std::max(limits.k * factor * floor.rel_l2, limits.smallest_budget);
  result.in_bound_units = result.rel_l2 / floor.rel_l2;
  if (!(result.rel_l2 <= result.budget)) {
    fail(result, "TOL", "");
  } else if (result.rel_l2 > result.budget / 2 && result.verdict == Verdict::kPass) {
    result.verdict = Verdict::kWarning;
    add_note(result, "beyond half of the budget");
  }
  if (result.verdict != Verdict::kFail && result.budget >= kBlindBudget) {
    leave_untested(result, "INSENSITIVE",
                   "all zeros would pass: the budget is " + short_number(100 * result.budget) +
                       " % of the tensor's size");
  }
  if (std::isnan(floor.row)) {
    return;
  }
  result.worst_row_units = errors.worst_row / floor.row;
  const double row_budget = std::max(limits.k_row * factor * floor.row, limits.smallest_budget);
  if (!(errors.worst_row <= row_budget)) {
    fail(result, "TOL", "worst row is " + short_number(result.worst_row_units) + " floors off");
  }
}

}  // namespace

Limits chained_limits(const PrecisionClass& precision) {
  return {kChainedLimit, kChainedRowLimit, precision.smallest_budget, precision.unit_roundoff(),
          precision.smallest_roundoff()};
}

Limits replay_limits(const PrecisionClass& precision) {
  return {kReplayLimit, kReplayRowLimit, precision.smallest_budget, precision.unit_roundoff(),
          precision.smallest_roundoff()};
}

TapResult judge(const std::string& tap, const Errors& errors, const TapFloor& floor,
                const Limits& limits) {
  TapResult result;
  result.tap = tap;
  result.floor_source = floor.source;
  result.compared = errors.count;
  judge_special_values(errors, limits, result);
  if (errors.truth_not_finite > 0) {
    add_note(result, counted(errors.truth_not_finite, "true values are no numbers"));
  }
  if (errors.count == 0) {
    leave_untested(result, "EMPTY", "no element compared");
    return result;
  }
  result.max_abs = errors.max_abs;
  result.rel_l2 = errors.rel_l2();
  result.cosine = errors.cosine;
  if (errors.bad() == 0) {
    result.where = unravel(errors.worst, errors.shape);
    result.got = errors.got;
    result.want = errors.want;
  }
  result.worst_row = unravel(
      errors.worst_row_at,
      errors.shape.empty() ? errors.shape : Shape(errors.shape.begin(), errors.shape.end() - 1));
  if (errors.sum_truth2 == 0) {
    judge_zero(errors, limits, result);
  } else if (floor.known()) {
    judge_size(errors, with_absolute_part(floor, tap, errors, limits), limits, result);
  } else {
    leave_untested(result, "NO_FLOOR", "no floor is known: not judged");
  }
  if (result.verdict == Verdict::kFail) {
    note_rows(errors, result);
    result.signature = signature_of(errors);
  }
  if (errors.peak() > kPeakWarning && result.verdict == Verdict::kPass) {
    result.verdict = Verdict::kWarning;
    add_note(result, "the largest error is " + short_number(errors.peak()) +
                         " times what its distribution explains");
  }
  return result;
}

TapResult judge_equal(const std::string& tap, const Mismatches& found) {
  TapResult result;
  result.tap = tap;
  if (found.count == 0) {
    leave_untested(result, "EMPTY", "no element compared");
  }
  if (found.different > 0) {
    result.where = unravel(found.first, found.shape);
    result.got = found.got;
    result.want = found.want;
    fail(result, "DISCRETE",
         std::to_string(found.different) + " of " + std::to_string(found.count) +
             " differ, first at " + shape_string(result.where));
  }
  return result;
}

double score_gap(const TapFloor& scores_floor, double score_rms) {
  const double factor = scores_floor.source == "predicted" ? kUnmeasuredFactor : 1;
  return scores_floor.known() ? 2 * kScoreError * factor * scores_floor.rel_l2 * score_rms : 0;
}

ChoiceVerdict judge_choice(const std::string& tap, const ChoiceErrors& errors,
                           const TapFloor& scores_floor) {
  ChoiceVerdict verdict;
  TapResult& result = verdict.result;
  result.tap = tap;
  if (errors.sets.count == 0) {
    leave_untested(result, "EMPTY", "no element compared");
  }
  if (errors.sets.different == 0) {
    return verdict;
  }
  if (errors.invalid > 0) {
    result.where = unravel(errors.first_invalid, errors.sets.shape);
    result.got = errors.invalid_index;
    fail(result, "INVALID",
         counted(errors.invalid, "rows name an index twice or one that is none, first ") +
             short_number(errors.invalid_index) + " at " + shape_string(result.where));
    return verdict;
  }
  result.where = unravel(errors.sets.first, errors.sets.shape);
  result.got = errors.sets.got;
  result.want = errors.sets.want;
  const double gap = errors.scored ? score_gap(scores_floor, errors.score_rms) : 0;
  const auto within = [&](double regret) { return regret <= gap; };
  const auto granted = static_cast<std::size_t>(std::ranges::count_if(errors.regrets, within));
  verdict.excused = static_cast<std::size_t>(std::ranges::count_if(
      errors.regrets, [&](double regret) { return regret > 0 && within(regret); }));
  const std::string regret = errors.scored ? ", worst regret " + short_number(errors.worst_regret) +
                                                 " where " + short_number(gap) + " is excused"
                                           : "";
  const std::string rows = std::to_string(errors.sets.different) + " of " +
                           std::to_string(errors.sets.count) + " rows choose otherwise" + regret;
  if (granted < errors.sets.different) {
    fail(result, "DISCRETE", rows);
  } else {
    add_note(result, rows + ": near-ties");
  }
  return verdict;
}

std::size_t excusable(std::size_t near_ties) {
  const auto part = static_cast<std::size_t>(std::ceil(kTieShare * static_cast<double>(near_ties)));
  return std::max<std::size_t>(part, 1);
}

TapResult judge_shape(const std::string& tap, const std::vector<std::size_t>& got,
                      const std::vector<std::size_t>& wanted) {
  TapResult result;
  result.tap = tap;
  fail(result, "SHAPE", "shape " + shape_string(got) + ", expected " + shape_string(wanted));
  add_note(result, permutation_hint(got, wanted));
  return result;
}

void soften(TapResult& result, const std::string& why) {
  if (result.verdict == Verdict::kFail) {
    result.verdict = Verdict::kWarning;
    add_note(result, why);
  }
}

TapResult* find_result(CaseResult& result, const std::string& tap) {
  const auto found = std::ranges::find(result.taps, tap, &TapResult::tap);
  return found == result.taps.end() ? nullptr : &*found;
}

void add_note(TapResult& result, const std::string& note) {
  if (!note.empty()) {
    result.note += (result.note.empty() ? "" : "; ") + note;
  }
}

}  // namespace assay::conformance
