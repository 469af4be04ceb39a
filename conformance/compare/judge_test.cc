// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/compare/blame.h"
#include "conformance/compare/constants.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const TapFloor kFloor{1e-6, 2e-6, "measured"};

Errors errors(double rel_l2, double row = 0) {
  Errors e;
  e.shape = {1000};
  e.count = 1000;
  e.sum_truth2 = 1;
  e.sum_got2 = 1;
  e.sum_e2 = rel_l2 * rel_l2;
  e.worst_row = row;
  return e;
}

TapResult f32(const Errors& e, const TapFloor& floor = kFloor) {
  return judge("text.logits", e, floor, chained_limits(*find_precision("f32")));
}

TEST(Judge, BudgetIsKFloors) {
  EXPECT_EQ(f32(errors(1.9e-6)).verdict, Verdict::kPass);
  EXPECT_EQ(f32(errors(2.1e-6)).verdict, Verdict::kWarning);
  EXPECT_EQ(f32(errors(3.9e-6)).verdict, Verdict::kWarning);
  const TapResult result = f32(errors(4.1e-6));
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.code, "TOL");
  EXPECT_DOUBLE_EQ(result.budget, 4e-6);
  EXPECT_NEAR(result.in_bound_units, 4.1, 1e-9);
  EXPECT_EQ(result.floor_source, "measured");
}

TEST(Judge, OneBadRowFails) {
  EXPECT_EQ(f32(errors(1e-7, 9.9e-6)).verdict, Verdict::kPass);
  const TapResult result = f32(errors(1e-7, 1.01e-5));
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_THAT(result.note, HasSubstr("worst row"));
  TapFloor without_rows = kFloor;
  without_rows.row = kNotMeasured;
  EXPECT_EQ(f32(errors(1e-7, 1), without_rows).verdict, Verdict::kPass);
}

TEST(Judge, PredictedFloorsDoubleTheLimit) {
  EXPECT_EQ(f32(errors(7.9e-6), {1e-6, kNotMeasured, "predicted"}).verdict, Verdict::kWarning);
  EXPECT_EQ(f32(errors(8.1e-6), {1e-6, kNotMeasured, "predicted"}).verdict, Verdict::kFail);
}

TEST(Judge, WithoutAFloorNothingIsTested) {
  const TapResult result = f32(errors(1), {});
  EXPECT_EQ(result.verdict, Verdict::kNotTested);
  EXPECT_EQ(result.code, "NO_FLOOR");
}

TEST(Judge, Fp64IsNotAskedForMoreThan1e12) {
  const PrecisionClass& f64 = *find_precision("f64");
  const TapFloor floor{1e-15, 1e-15, "measured"};
  const Limits limits = chained_limits(f64);
  EXPECT_EQ(judge("text.logits", errors(4e-13, 4e-13), floor, limits).verdict, Verdict::kPass);
  EXPECT_EQ(judge("text.logits", errors(1.1e-12), floor, limits).verdict, Verdict::kFail);
}

TEST(Judge, SpecialValuesComeFirst) {
  Errors e = errors(1);
  e.nan = 2;
  e.first_bad = 3;
  EXPECT_EQ(f32(e).code, "NAN");
  EXPECT_THAT(f32(e).where, ElementsAre(3));
  e.nan = 0;
  e.infinite = 1;
  EXPECT_EQ(f32(e).code, "INF");
  Errors leaking = errors(0);
  leaking.leaks = 1;
  EXPECT_EQ(f32(leaking).code, "MASK_LEAK");
  Errors half = errors(0);
  half.worst_sum = 0.5;
  EXPECT_EQ(f32(half).code, "NOT_PROB");
  half.worst_sum = 1e-6;  // 4 u sqrt(1000) is 7.5e-6
  EXPECT_EQ(f32(half).verdict, Verdict::kPass);
}

TEST(Judge, AFarOutlierWarns) {
  Errors e = errors(1e-7);
  e.max_abs = 1e-7;  // rms of the error: 3e-9
  EXPECT_EQ(f32(e).verdict, Verdict::kPass);
  e.max_abs = 1e-6;
  EXPECT_EQ(f32(e).verdict, Verdict::kWarning);
  EXPECT_EQ(f32(e).code, "");
}

TEST(Judge, ZeroTruthHasAnAbsoluteLimit) {
  Errors e;
  e.shape = {4};
  e.count = 4;
  e.max_abs = 1e-9;
  e.sum_e2 = 1e-18;
  EXPECT_EQ(f32(e).verdict, Verdict::kPass);
  e.max_abs = 1e-3;
  EXPECT_EQ(f32(e).code, "NONZERO");
}

TEST(Judge, ChoicesAreExcusedByTwoDelta) {
  ChoiceErrors e;
  e.sets = {{4, 2}, 4, 1, 2, 0, 0};
  e.scored = true;
  e.score_rms = 2;  // 2 Delta = 8 * 1e-6 * 2
  e.regrets = {1.5e-5};
  EXPECT_EQ(judge_choice("text.layer.0.moe.topk_index", e, kFloor).excused, 1u);
  e.regrets = {1.7e-5};
  const ChoiceVerdict verdict = judge_choice("text.layer.0.moe.topk_index", e, kFloor);
  EXPECT_EQ(verdict.excused, 0u);
  EXPECT_EQ(verdict.result.code, "DISCRETE");
  e.scored = false;
  e.regrets = {};
  EXPECT_EQ(judge_choice("text.layer.0.moe.topk_index", e, kFloor).result.verdict, Verdict::kFail);
}

// Of equal scores any may be taken, as often as one likes.
TEST(Judge, NoRegretIsNoExcuse) {
  ChoiceErrors e;
  e.sets = {{4, 2}, 4, 2, 2, 0, 0};
  e.scored = true;
  e.score_rms = 2;
  e.regrets = {0, 1.5e-5};
  EXPECT_EQ(judge_choice("text.layer.0.moe.topk_index", e, kFloor).excused, 1u);
  EXPECT_EQ(judge_choice("text.layer.0.moe.topk_index", e, kFloor).result.verdict, Verdict::kPass);
}

TEST(Judge, WhatIsNoChoiceIsNotExcused) {
  ChoiceErrors e;
  e.sets = {{4, 2}, 4, 1, 2, 0, 0};
  e.scored = true;
  e.invalid = 1;
  e.first_invalid = 5;
  e.invalid_index = 3;
  const TapResult result = judge_choice("text.layer.0.moe.topk_index", e, kFloor).result;
  EXPECT_EQ(result.code, "INVALID");
  EXPECT_THAT(result.note, HasSubstr("an index twice or one that is none, first 3 at [2, 1]"));
}

TEST(Judge, RowsOfPaddingAreNumbers) {
  Errors e = errors(0);
  e.bad_padding = 2;
  e.first_bad_padding = 7;
  EXPECT_EQ(f32(e).code, "PAD_NAN");
  EXPECT_EQ(f32(e).verdict, Verdict::kFail);
}

TEST(Judge, FewTiesAreExcusable) {
  EXPECT_EQ(excusable(0), 1u);
  EXPECT_EQ(excusable(2), 1u);
  EXPECT_EQ(excusable(40), 20u);
}

TEST(Judge, SofteningKeepsTheCode) {
  TapResult result = f32(errors(1));
  soften(result, "informative");
  EXPECT_EQ(result.verdict, Verdict::kWarning);
  EXPECT_EQ(result.code, "TOL");
}

CaseResult of(std::vector<TapResult> taps) {
  CaseResult result;
  result.taps = std::move(taps);
  return result;
}

TapResult tap(const char* name, Verdict verdict, const char* code = "") {
  TapResult result;
  result.tap = name;
  result.verdict = verdict;
  result.code = code;
  return result;
}

TEST(Blame, TheVerdictOfACase) {
  CaseResult empty;
  conclude(empty);
  EXPECT_EQ(empty.verdict, Verdict::kNotTested);
  CaseResult blind = of({tap("text.logits", Verdict::kNotTested, "INSENSITIVE")});
  conclude(blind);
  EXPECT_EQ(blind.verdict, Verdict::kNotTested);
  CaseResult wide = of({tap("text.logits", Verdict::kWarning)});
  conclude(wide);
  EXPECT_EQ(wide.verdict, Verdict::kPass);  // only close to its budget
  CaseResult soft = of({tap("text.logits", Verdict::kWarning, "TOL")});
  conclude(soft);
  EXPECT_EQ(soft.verdict, Verdict::kWarning);
}

TEST(Blame, ReplayNamesTheRestIsInherited) {
  CaseResult chained = of({tap("text.layer.0.out", Verdict::kPass),
                           tap("text.layer.1.attn.mix", Verdict::kFail, "TOL"),
                           tap("text.logits", Verdict::kFail, "TOL")});
  CaseResult replay;
  replay.introduced_by = {"text.layer.1.attn.mix"};
  blame(chained, &replay);
  EXPECT_THAT(chained.introduced_by, ElementsAre("text.layer.1.attn.mix"));
  EXPECT_THAT(chained.inherited, ElementsAre("text.logits"));
}

TEST(Blame, WithoutReplayTheFirstInExecutionOrder) {
  CaseResult chained = of({tap("text.logits", Verdict::kFail, "TOL"),
                           tap("text.layer.1.attn.mix", Verdict::kFail, "TOL")});
  blame(chained, nullptr);
  EXPECT_THAT(chained.introduced_by, ElementsAre("text.layer.1.attn.mix"));
  EXPECT_THAT(chained.message, HasSubstr("without a checkpoint"));
}

TEST(Blame, MaskedAndSpreadErrorsAreSaid) {
  CaseResult masked = of({tap("text.logits", Verdict::kPass)});
  CaseResult replay;
  replay.introduced_by = {"text.layer.1.attn.mix"};
  blame(masked, &replay);
  EXPECT_THAT(masked.message, HasSubstr("masked"));
  CaseResult spread = of({tap("text.logits", Verdict::kFail, "TOL")});
  replay.introduced_by = {};
  blame(spread, &replay);
  EXPECT_THAT(spread.introduced_by, IsEmpty());
  EXPECT_THAT(spread.message, HasSubstr("no single step"));
}

}  // namespace
}  // namespace assay::conformance
