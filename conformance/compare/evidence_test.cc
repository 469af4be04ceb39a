// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/compare/chained.h"
#include "conformance/compare/identity.h"
#include "conformance/compare/judge.h"
#include "conformance/compare/judge_run.h"
#include "conformance/testing/toy_model.h"

namespace assay::conformance {
namespace {

using testing::HasSubstr;

const std::set<Mode> kBoth = {Mode::kChained, Mode::kReplay};

class Evidence : public testing::Test {
 protected:
  Evidence() : golden_(golden_from_run(f64_, toy::prompt(), {})) {}

  TapSet dump(const std::set<std::string>& leaves) { return toy::dump(f32_, {leaves, {}}); }

  std::vector<CaseResult> judge(const TapSet& taps, const char* precision = "f32",
                                const TapFilter& claimed = {}) {
    return judge_run(golden_, taps, &oracle_, *find_precision(precision), kBoth, claimed);
  }

  toy::Model<double> f64_;
  toy::Model<float> f32_;
  Oracle oracle_{f64_, f32_, "REF"};
  Golden golden_;
};

TapSet zeros(TapSet taps) {
  for (const std::string& name : taps.names()) {
    std::ranges::fill(taps.find(name)->values, 0.0);
  }
  return taps;
}

void expect_verdicts(const std::vector<CaseResult>& results, Verdict verdict) {
  ASSERT_EQ(results.size(), 2u);
  for (const CaseResult& result : results) {
    EXPECT_EQ(result.verdict, verdict) << result.message;
  }
}

TEST_F(Evidence, TheLogitsAloneAreEnough) {
  const auto results = judge(dump({"text.logits"}));
  expect_verdicts(results, Verdict::kPass);
  EXPECT_EQ(results[0].coverage.kinds_judged, 1u);
  EXPECT_GT(results[0].coverage.kinds_known, 15u);
}

TEST_F(Evidence, ACaseWithoutItsEndIsNotTestedUnlessLessIsClaimed) {
  const TapSet taps = dump({"attn.norm_in"});
  const auto results = judge(taps);
  expect_verdicts(results, Verdict::kNotTested);
  EXPECT_THAT(results[0].message, HasSubstr("the end of the case is not tested: text.logits: not "
                                            "in the dump"));
  expect_verdicts(judge(taps, "f32", [](const std::string& tap) { return !tap.empty(); }),
                  Verdict::kPass);
  expect_verdicts(judge(taps, "f32", [](const std::string& tap) { return tap == "text.logits"; }),
                  Verdict::kNotTested);
}

TEST_F(Evidence, AFailureOutsideTheClaimIsNone) {
  toy::Model<float> wrong({{}, {"q_scale@2"}, 0});
  const TapSet taps = toy::dump(wrong);
  expect_verdicts(judge(taps), Verdict::kFail);
  expect_verdicts(
      judge(taps, "f32", [](const std::string& tap) { return tap.starts_with("text.layer.1."); }),
      Verdict::kPass);
}

TEST_F(Evidence, ZerosNeverPassInAnyClass) {
  for (const char* precision : {"f32", "tf32", "f16", "bf16"}) {
    for (const std::set<std::string>& leaves :
         {std::set<std::string>{"text.logits"}, {"out", "text.logits"}, {}}) {
      for (const CaseResult& result : judge(zeros(dump(leaves)), precision)) {
        EXPECT_TRUE(result.verdict == Verdict::kFail || result.verdict == Verdict::kNotTested)
            << precision << " " << mode_name(result.mode);
      }
    }
  }
}

TEST_F(Evidence, WithoutFloorsNothingIsTested) {
  const auto results =
      judge_run(golden_, dump({"text.logits"}), nullptr, *find_precision("f16"), {Mode::kChained});
  EXPECT_EQ(results[0].verdict, Verdict::kNotTested);
  EXPECT_EQ(results[0].taps[0].code, "NO_FLOOR");
  EXPECT_THAT(results[0].message, HasSubstr("no floor is known"));
}

TEST_F(Evidence, ABudgetAsWideAsTheTensorTestsNothing) {
  Errors errors;
  errors.shape = {10};
  errors.count = 10;
  errors.sum_truth2 = 1;
  const Limits limits = chained_limits(*find_precision("bf16"));
  const auto judged = [&](double floor) {
    return conformance::judge("text.logits", errors, {floor, kNotMeasured, "measured"}, limits);
  };
  EXPECT_EQ(judged(0.124).verdict, Verdict::kPass);
  EXPECT_EQ(judged(0.126).verdict, Verdict::kNotTested);
  EXPECT_EQ(judged(0.126).code, "INSENSITIVE");
  errors.sum_e2 = 1;
  EXPECT_EQ(judged(0.126).verdict, Verdict::kFail);  // beyond even that
}

TEST_F(Evidence, TheEndOfADraftAreItsLogitsAndOfAnEncoderItsEmbeddings) {
  Golden golden;
  golden.truth.add({"text.logits", {1}, {1}, false});
  EXPECT_THAT(end_of(golden), testing::ElementsAre("text.logits"));
  golden.truth.add({"mtp.step.0.logits", {1}, {1}, false});
  EXPECT_THAT(end_of(golden), testing::ElementsAre("mtp.step.0.logits"));
  Golden encoder;
  encoder.truth.add({"text.mask.global", {1}, {1}, true});
  encoder.truth.add({"media.0.vision.embed.out", {1}, {1}, false});
  EXPECT_THAT(end_of(encoder), testing::ElementsAre("media.0.vision.embed.out"));
  Golden requests = golden;
  requests.input.requests.emplace_back();
  EXPECT_THAT(end_of(requests), testing::IsEmpty());
}

TEST_F(Evidence, AnotherCheckpointDoesNotGiveTheTruth) {
  EXPECT_EQ(other_checkpoint(f64_, golden_), "");
  EXPECT_EQ(other_checkpoint(f32_, golden_), "");  // an fp32 program may have made the golden
  toy::Model<double> other({{}, {"q_scale@1"}, 0});
  EXPECT_THAT(other_checkpoint(other, golden_), HasSubstr("off at text.layer.1.attn.q_proj"));
}

}  // namespace
}  // namespace assay::conformance
