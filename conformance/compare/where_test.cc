// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/where.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/compare/achieved_class.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/judge_run.h"
#include "conformance/compare/shapes.h"
#include "conformance/compare/signature.h"
#include "conformance/testing/toy_model.h"

namespace assay::conformance {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::set<Mode> kBoth = {Mode::kChained, Mode::kReplay};

class Where : public testing::Test {
 protected:
  Where() : golden_(golden_from_run(f64_, toy::prompt(), {})) {}

  CaseResult replayed(const TapSet& dump, const char* precision = "f32") {
    return judge_run(golden_, dump, &oracle_, *find_precision(precision), kBoth).back();
  }

  toy::Model<double> f64_;
  toy::Model<float> f32_;
  Oracle oracle_{f64_, f32_, "REF"};
  Golden golden_;
};

TapResult& tap_of(CaseResult& result, const std::string& name) {
  return *find_result(result, name);
}

Errors compared(const std::vector<double>& want, double ratio, double shift) {
  const Tap truth{"text.logits", {want.size()}, want, false};
  std::vector<double> got = want;
  for (double& value : got) {
    value = ratio * value + shift;
  }
  return measure(truth, got);
}

TEST(Signature, ConstantRatiosAndShiftsAreSaid) {
  const std::vector<double> want = {1, -2, 3.5, 0.25, -1.5, 4};
  EXPECT_EQ(signature_of(compared(want, 1.0 / 6, 0)), "got = want / 6, a constant ratio");
  EXPECT_EQ(signature_of(compared(want, 16, 0)), "got = want * 16, a constant ratio");
  EXPECT_EQ(signature_of(compared(want, -1, 0)), "got = -want, a constant ratio");
  EXPECT_EQ(signature_of(compared(want, std::sqrt(0.5), 0)),
            "got = want / sqrt(2), a constant ratio");
  EXPECT_EQ(signature_of(compared(want, 1.0024, 0)), "got = want * 1.002, a constant ratio");
  EXPECT_EQ(signature_of(compared(want, 1, 0.5)), "got = want + 0.5, a constant shift");
  EXPECT_EQ(signature_of(compared(want, 1, 0)), "");
  Errors other = compared(want, 1, 0);
  other.sum_e2 = 1;
  EXPECT_EQ(signature_of(other), "");
}

TapResult wrong_at(const std::vector<std::size_t>& rows, std::size_t of) {
  TapResult tap;
  tap.tap = "text.layer.0.attn.mix";
  tap.wrong_rows = rows;
  tap.rows = of;
  return tap;
}

TEST(WrongRows, AreSaidWithWhatTheyHaveInCommon) {
  CaseInput input;
  input.ids = {2, 9, 5, 7, 7, 7, 3, 9, 4, 8, 6};
  input.token_types = {0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0};
  const auto said = [&](const std::vector<std::size_t>& rows, std::size_t window = 4) {
    return describe_wrong_rows(wrong_at(rows, 11), input, {window});
  };
  EXPECT_EQ(said({4, 5, 6, 7, 8, 9, 10}), "rows 4-10 of 11, from the window's width on");
  EXPECT_EQ(said({4, 5, 6, 7, 8, 9, 10}, 0), "rows 4-10 of 11, the rest from there on");
  EXPECT_EQ(said({10}), "row 10 of 11, the last");
  EXPECT_EQ(said({1, 7}), "rows 1, 7 of 11, all with id 9");
  EXPECT_EQ(said({2}), "row 2 of 11, the one with id 5");
  EXPECT_EQ(said({0, 1, 2, 6, 7, 8, 9, 10}), "rows 0-2, 6-10 of 11, all of text");
  EXPECT_EQ(said({0, 3}), "rows 0, 3 of 11");
  EXPECT_EQ(said({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), "");  // all of them: nothing to say
  input.ids = {2, 9, 5, 7, 17, 7, 3, 9, 4, 8, 6};
  EXPECT_EQ(said({3, 4, 5}), "rows 3-5 of 11, those of one image");
}

TEST_F(Where, AStepSaysSinceWhenAndWhatItHolds) {
  toy::Model<float> wrong({{}, {"q_scale@1"}, 0});
  CaseResult all = replayed(toy::dump(wrong, {{"in", "out", "text.logits"}, {}}));
  EXPECT_THAT(all.introduced_by, ElementsAre("text.layer.1.out"));
  const TapResult& out = tap_of(all, "text.layer.1.out");
  EXPECT_EQ(out.since, "text.layer.1.in");
  EXPECT_THAT(out.within, Contains("text.layer.1.attn.scores"));
  EXPECT_THAT(out.within, Not(Contains("text.layer.1.out")));
  EXPECT_THAT(out.mistakes, Contains("M-60"));  // scores times 1/sqrt(hd)
  CaseResult one = replayed(toy::dump(wrong));
  EXPECT_THAT(tap_of(one, "text.layer.1.attn.q_proj").within, IsEmpty());
}

TEST_F(Where, AnArrayOfAnotherTapAndRowsOnePositionLateAreTold) {
  TapSet dump = toy::dump(f32_);
  dump.find("text.layer.1.attn.norm_in")->values = dump.at("text.layer.2.attn.norm_in").values;
  CaseResult result = replayed(dump);
  EXPECT_THAT(tap_of(result, "text.layer.1.attn.norm_in").signature,
              HasSubstr("it holds what belongs at text.layer.2.attn.norm_in"));
  TapSet late = toy::dump(f32_);
  std::vector<double>& values = late.find("text.layer.1.out")->values;
  const std::size_t width = values.size() / toy::kTokens;
  std::rotate(values.begin(), values.end() - static_cast<std::ptrdiff_t>(width), values.end());
  result = replayed(late);
  EXPECT_THAT(tap_of(result, "text.layer.1.out").signature, HasSubstr("one position late"));
}

// A buffer that was overwritten before it was copied: what follows was made from the right values.
TEST_F(Where, ValuesThatWereNotUsedAreBlamedAndNotWhatFollows) {
  TapSet dump = toy::dump(f32_);
  for (double& value : dump.find("text.layer.1.attn.residual")->values) {
    value = 0.3 * value + 0.1;
  }
  CaseResult result = replayed(dump);
  EXPECT_THAT(result.introduced_by, ElementsAre("text.layer.1.attn.residual"));
  EXPECT_THAT(tap_of(result, "text.layer.1.attn.residual").note,
              HasSubstr("not the value that was used"));
}

TapSet rounded(TapSet taps, const char* precision) {
  for (const std::string& name : taps.names()) {
    Tap& tap = *taps.find(name);
    if (!is_discrete(tap)) {
      for (double& value : tap.values) {
        value = round_to_class(value, *find_precision(precision));
      }
    }
  }
  return taps;
}

TEST_F(Where, TheClassThatTheValuesBetrayIsSaid) {
  const TapSet dump = toy::dump(f32_);
  EXPECT_EQ(achieved_class(dump).name(), "f32");
  EXPECT_EQ(achieved_class(rounded(dump, "bf16")).describe(), "every value is a bf16 number");
  EXPECT_EQ(achieved_class(rounded(dump, "f16")).describe(), "every value is an f16 number");
  EXPECT_EQ(achieved_class(toy::dump(f64_)).name(), "f64");
  EXPECT_EQ(achieved_class({}).name(), "");

  toy::Model<float> narrow;
  CollectingListener collect([](const std::string&) { return true; });
  RoundingListener listener(*find_precision("bf16"), 0, nullptr, {&collect});
  RunOptions options;
  options.rounding = find_precision("bf16")->rounding;
  ASSERT_TRUE(narrow.run(toy::prompt(), options, listener).ok());
  const CaseResult as_f32 = replayed(collect.taps());
  EXPECT_EQ(as_f32.verdict, Verdict::kFail);
  EXPECT_EQ(as_f32.achieved_class, "bf16");
  EXPECT_EQ(as_f32.class_note, "every value is a bf16 number; declare bf16, in which it passes");
  EXPECT_TRUE(as_f32.class_explains);
  const CaseResult as_bf16 = replayed(collect.taps(), "bf16");
  EXPECT_EQ(as_bf16.class_note, "");
  const CaseResult mild = replayed(rounded(dump, "f16"), "bf16");
  EXPECT_EQ(mild.achieved_class, "f16");
  EXPECT_THAT(mild.class_note, HasSubstr("declare f16: class bf16 judges it too mildly"));
}

// Numbers as small as f16's subnormal ones keep few digits, and a cap multiplies what is lost.
TEST(AbsolutePart, SmallLogitsOfF16ArePassed) {
  Errors errors;
  errors.shape = {64};
  errors.count = 64;
  errors.sum_truth2 = 64 * 4e-4 * 4e-4;
  errors.sum_e2 = errors.sum_truth2 * 2e-3 * 2e-3;
  const TapFloor floor{2e-4, kNotMeasured, "measured"};
  const auto judged = [&](const char* precision) {
    return judge("text.logits", errors, floor, replay_limits(*find_precision(precision))).verdict;
  };
  EXPECT_NE(judged("f16"), Verdict::kFail);
  EXPECT_EQ(judged("bf16"), Verdict::kFail);
}

// Rounded when they were written: each step starts from what was not used.
TEST_F(Where, ADumpMayBeRoundedOnlyWhereItIsWritten) {
  const TapSet dump = rounded(toy::dump(f32_, toy::port_taps()), "f16");
  JudgeOptions options;
  options.exact_dump = false;
  for (const CaseResult& result :
       judge_run(golden_, dump, &oracle_, *find_precision("f16"), kBoth, {}, options)) {
    EXPECT_NE(result.verdict, Verdict::kFail) << mode_name(result.mode);
  }
}

}  // namespace
}  // namespace assay::conformance
