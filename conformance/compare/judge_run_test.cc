// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/judge_run.h"

#include <gtest/gtest.h>

#include "conformance/compare/chained.h"
#include "conformance/compare/harness.h"
#include "conformance/testing/toy_model.h"

namespace assay::conformance {
namespace {

TEST(Mode, EveryNameIsRead) {
  for (const Mode mode : {Mode::kChained, Mode::kIsolated, Mode::kReplay, Mode::kForced}) {
    EXPECT_EQ(find_mode(mode_name(mode)), mode);
  }
  EXPECT_EQ(mode_name(Mode::kReplay), std::string("replay"));
  EXPECT_FALSE(find_mode("Replay"));
  EXPECT_FALSE(find_mode(""));
}

TEST(Mode, TwoCanBeRun) {
  EXPECT_TRUE(is_runnable(Mode::kChained));
  EXPECT_TRUE(is_runnable(Mode::kReplay));
  EXPECT_FALSE(is_runnable(Mode::kIsolated));
  EXPECT_FALSE(is_runnable(Mode::kForced));
}

class JudgeRun : public testing::Test {
 protected:
  JudgeRun() : golden_(golden_from_run(f64_, toy::prompt(), {})) {}

  std::vector<CaseResult> judge(const toy::Behaviour& candidate, const std::set<Mode>& modes) {
    toy::Model<float> f32(candidate);
    return judge_run(golden_, toy::dump(f32), &oracle_, *find_precision("f32"), modes);
  }

  toy::Model<double> f64_;
  toy::Model<float> f32_;
  Oracle oracle_{f64_, f32_, "REF"};
  Golden golden_;
};

TEST_F(JudgeRun, AnHonestCandidatePassesInBothModes) {
  const auto results = judge({toy::Order::kReversed, {}, 0}, {Mode::kChained, Mode::kReplay});
  ASSERT_EQ(results.size(), 2);
  EXPECT_EQ(results[0].mode, Mode::kChained);
  EXPECT_EQ(results[1].mode, Mode::kReplay);
  for (const CaseResult& result : results) {
    EXPECT_EQ(result.verdict, Verdict::kPass);
    EXPECT_EQ(result.precision, "f32");
  }
}

TEST_F(JudgeRun, ReplayTellsTheChainedRunWhereItsErrorEntered) {
  const toy::Behaviour wrong{toy::Order::kForward, {"q_scale@1"}, 0};
  const auto results = judge(wrong, {Mode::kChained, Mode::kReplay});
  ASSERT_EQ(results.size(), 2);
  ASSERT_EQ(results[1].introduced_by.size(), 1);
  EXPECT_EQ(results[0].introduced_by, results[1].introduced_by);
  EXPECT_FALSE(results[0].inherited.empty());
  EXPECT_EQ(judge(wrong, {Mode::kReplay}).front().introduced_by, results[1].introduced_by);
}

TEST_F(JudgeRun, RefusesWhatItCannotDo) {
  const TapSet taps = toy::dump(f32_);
  const PrecisionClass& f32 = *find_precision("f32");
  EXPECT_THROW(judge_run(golden_, taps, &oracle_, f32, {Mode::kForced}), HarnessError);
  EXPECT_THROW(judge_run(golden_, taps, nullptr, f32, {Mode::kReplay}), HarnessError);
  EXPECT_EQ(judge_run(golden_, taps, nullptr, f32, {Mode::kChained}).size(), 1);
}

}  // namespace
}  // namespace assay::conformance
