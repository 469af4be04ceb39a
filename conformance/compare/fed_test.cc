// SPDX-License-Identifier: Apache-2.0
// Isolated and forced, on the toy model and one with a mistake in a layer.
#include "conformance/compare/fed.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/compare/chained.h"
#include "conformance/testing/toy_model.h"

namespace assay::conformance {
namespace {

using toy::Model;

// A candidate that takes nothing from a listener, or is what it wraps.
class Stubborn : public Implementation {
 public:
  Capabilities capabilities() const override {
    Capabilities can = inner_.capabilities();
    can.forced_taps = false;
    return can;
  }
  Status load(const std::string&, const std::string&) override { return {}; }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override {
    return inner_.run(input, options, taps);
  }

 private:
  Model<float> inner_;
};

class FedRuns : public testing::Test {
 protected:
  FedRuns() : golden_(golden_from_run(f64_, toy::prompt(), {})) {}

  CaseResult judge(const toy::Behaviour& behaviour, Mode mode, std::size_t depth = 0,
                   const char* precision = "f32") {
    Model<float> candidate(behaviour);
    return judge_fed(golden_, candidate, {}, oracle_, *find_precision(precision), mode, depth);
  }

  Model<double> f64_;
  Model<float> f32_;
  Oracle oracle_{f64_, f32_, "REF"};
  Golden golden_;
};

bool fails_in(const CaseResult& result, const std::string& layer) {
  return std::ranges::any_of(result.taps, [&](const TapResult& tap) {
    return tap.verdict == Verdict::kFail && tap.tap.starts_with("text.layer." + layer);
  });
}

TEST_F(FedRuns, HonestCandidatesPass) {
  for (const Mode mode : {Mode::kIsolated, Mode::kForced}) {
    for (const toy::Order order : {toy::Order::kReversed, toy::Order::kLanes}) {
      const CaseResult result = judge({order, {}, 0}, mode);
      EXPECT_EQ(result.verdict, Verdict::kPass) << mode_name(mode);
      EXPECT_EQ(result.mode, mode);
      EXPECT_TRUE(result.introduced_by.empty());
    }
  }
}

// End to end the layers after a wrong one fail with it; isolated they do not.
TEST_F(FedRuns, AnErrorStaysInItsBlock) {
  const toy::Behaviour wrong{toy::Order::kForward, {"q_scale@1"}, 0};
  Model<float> candidate(wrong);
  const auto chained =
      judge_run(golden_, toy::dump(candidate), &oracle_, *find_precision("f32"), {Mode::kChained});
  EXPECT_TRUE(fails_in(chained.front(), "2."));
  const CaseResult isolated = judge(wrong, Mode::kIsolated);
  EXPECT_EQ(isolated.verdict, Verdict::kFail);
  EXPECT_FALSE(fails_in(isolated, "0."));
  EXPECT_TRUE(fails_in(isolated, "1."));
  EXPECT_FALSE(fails_in(isolated, "2."));
  ASSERT_EQ(isolated.introduced_by.size(), 1U);
  EXPECT_TRUE(isolated.introduced_by.front().starts_with("text.layer.1."));
}

TEST_F(FedRuns, EachBlockWithAMistakeIsNamed) {
  const CaseResult result =
      judge({toy::Order::kForward, {"q_scale@0", "norm_eps@2"}, 0}, Mode::kIsolated);
  ASSERT_EQ(result.introduced_by.size(), 2U);
  EXPECT_TRUE(result.introduced_by[0].starts_with("text.layer.0."));
  EXPECT_TRUE(result.introduced_by[1].starts_with("text.layer.2."));
}

// Forced at depth 2: what lies before is not judged, and does not reach what comes after.
TEST_F(FedRuns, ForcedIsJudgedFromItsDepthOn) {
  const toy::Behaviour early{toy::Order::kForward, {"q_scale@1"}, 0};
  const CaseResult later = judge(early, Mode::kForced, 2);
  EXPECT_EQ(later.verdict, Verdict::kPass);
  EXPECT_TRUE(std::ranges::none_of(later.taps, [](const TapResult& tap) {
    return tap.tap.starts_with("text.layer.0.") || tap.tap.starts_with("text.layer.1.");
  }));
  EXPECT_EQ(judge(early, Mode::kForced, 1).verdict, Verdict::kFail);
  const toy::Behaviour late{toy::Order::kForward, {"q_scale@2"}, 0};
  EXPECT_EQ(judge(late, Mode::kForced, 2).verdict, Verdict::kFail);
}

// In 16 bits chained results inform; isolated ones gate.
TEST_F(FedRuns, SixteenBitsGateWhereNothingIsInherited) {
  const toy::Behaviour wrong{toy::Order::kForward, {"no_residual@1"}, 0};
  EXPECT_EQ(judge({}, Mode::kIsolated, 0, "bf16").verdict, Verdict::kPass);
  const CaseResult result = judge(wrong, Mode::kIsolated, 0, "bf16");
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_FALSE(fails_in(result, "2."));
}

TEST_F(FedRuns, WhatCannotBeFedIsNotSupported) {
  Stubborn stubborn;
  const auto& f32 = *find_precision("f32");
  EXPECT_EQ(judge_fed(golden_, stubborn, {}, oracle_, f32, Mode::kIsolated).verdict,
            Verdict::kNotSupported);
  RunOptions chunks;
  chunks.prefill_chunk = 3;
  EXPECT_EQ(judge_fed(golden_, f32_, chunks, oracle_, f32, Mode::kForced).verdict,
            Verdict::kNotSupported);
  EXPECT_EQ(judge({}, Mode::kForced, 99).verdict, Verdict::kNotSupported);
}

}  // namespace
}  // namespace assay::conformance
