// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/power.h"

#include <gtest/gtest.h>

#include "conformance/doors/registry.h"
#include "reference/family/base/error.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

const std::string kText =
    "case text-edges\n"
    "kinds text.layer.{i}.attn.mix text.layer.{i}.out text.logits\n"
    "M-60 05a\n"
    "M-03:attn.q_norm pu.\n";

CaseResult judged(const std::vector<std::pair<std::string, double>>& budgets) {
  CaseResult result;
  for (const auto& [tap, budget] : budgets) {
    TapResult one;
    one.tap = tap;
    one.budget = budget;
    result.taps.push_back(one);
  }
  return result;
}

TEST(Power, ReadsBackWhatItWrites) {
  EXPECT_EQ(power_text(parse_power(kText, "power")), kText);
}

TEST(Power, CodesAreFifthsOfADecade) {
  EXPECT_EQ(least_change('0'), 1);
  EXPECT_NEAR(least_change('a'), 1e-2, 1e-15);
  EXPECT_NEAR(least_change('p'), 1e-5, 1e-18);
  EXPECT_NEAR(least_change('O'), 1e-10, 1e-23);
  EXPECT_EQ(least_change('.'), 0);
}

TEST(Power, RefusesOtherTexts) {
  for (const char* text : {"M-60 012\n", "case a\nkinds x\nM-60 01\n", "case a\nkinds x\nM-60 P\n",
                           "kinds x\n", "case a\nkinds x\nkinds x\n", "case a\nkinds x\nM-60\n"}) {
    EXPECT_THROW(parse_power(text, "power"), Error) << text;
  }
}

// A tap excludes what would have moved it beyond its budget; taps that are not there exclude none.
TEST(Power, CountsWhatTheJudgedTapsWouldHaveShown) {
  const CasePower power = parse_power(kText, "power").at("text-edges");
  const Power full = power_of(
      power,
      judged({{"text.layer.0.attn.mix", 1e-6}, {"text.layer.3.out", 1e-6}, {"text.logits", 1e-6}}),
      false);
  EXPECT_EQ(full.excluded, 2U);
  EXPECT_EQ(full.expressible, 2U);
  const Power end = power_of(power, judged({{"text.logits", 1e-6}}), false);
  EXPECT_EQ(end.excluded, 1U);
  EXPECT_EQ(end.blind, std::vector<std::string>{"M-03:attn.q_norm"});
  const Power wide = power_of(power, judged({{"text.logits", 0.5}}), false);
  EXPECT_EQ(wide.excluded, 0U);
  EXPECT_EQ(describe(end), "excludes 1 of 2 known mistakes; blind to M-03:attn.q_norm");
}

// In 16 bits taps inside are judged by their own step, so only the first that moves can show it.
TEST(Power, InSixteenBitsTheFirstTapThatMovesHasToShowIt) {
  const CasePower power = parse_power(kText, "power").at("text-edges");
  const auto result = judged({{"text.layer.0.attn.mix", 2}, {"text.layer.3.out", 1e-6}});
  EXPECT_EQ(power_of(power, result, false).excluded, 1U);
  EXPECT_EQ(power_of(power, result, true).excluded, 0U);
}

// A replay recomputes each step from the dump, so later taps do not show what entered before them.
TEST(Power, InAReplayTheFirstTapThatMovesHasToShowIt) {
  const CasePower power = parse_power(kText, "power").at("text-edges");
  auto result = judged({{"text.layer.0.attn.mix", 2}, {"text.logits", 1e-6}});
  EXPECT_EQ(power_of(power, result, true).excluded, 1U);  // the chained logits
  result.mode = Mode::kReplay;
  EXPECT_EQ(power_of(power, result, false).excluded, 0U);
  EXPECT_EQ(power_of(power, result, true).excluded, 0U);
  result.taps.front().budget = 1e-6;
  EXPECT_EQ(power_of(power, result, false).excluded, 2U);
}

TEST(Power, IsMeasuredOnACase) {
  const std::string checkpoint = source_dir() + "/golden/checkpoints/e2b-tiny";
  const auto f64 = oracle_entry().make("f64");
  ASSERT_TRUE(f64->load(checkpoint, "").ok());
  const MutantModel model(checkpoint, "");
  const Golden golden = read_golden(source_dir() + "/golden/cases/e2b-tiny/text-short.h5");
  const CasePower power = measure_power(*f64, model, golden);
  const auto codes = [&](const std::string& label) {
    for (const auto& [mutant, some] : power.by_mutant) {
      if (mutant == label) {
        return some;
      }
    }
    return std::string();
  };
  EXPECT_EQ(codes("M-130").find_first_not_of('.'), power.kinds.size() - 1);  // the logits alone
  EXPECT_NE(codes("M-20").back(), '.');
  EXPECT_TRUE(codes("M-111").empty());  // no experts
  // What a layer takes in moves from the second on: that is no sign of the step's own error.
  const auto first = power.kinds.at(codes("M-60").find_first_not_of('.'));
  EXPECT_EQ(first, "text.layer.{i}.attn.scores");
}

}  // namespace
}  // namespace assay::conformance
