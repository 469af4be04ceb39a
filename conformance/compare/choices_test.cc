// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/choices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace assay::conformance {
namespace {

using testing::ElementsAre;

const Tap kChoice{"text.layer.0.moe.topk_index", {2, 2}, {0, 3, 1, 2}, true};
const Tap kScores{"text.layer.0.moe.router_logits", {2, 4}, {4, 1, 2, 3, 0, 5, 4, 3.5}, false};

TEST(Choices, OrderWithinASetIsNotCompared) {
  EXPECT_EQ(measure_choice(kChoice, std::vector<double>{3, 0, 2, 1}, &kScores).sets.different, 0u);
}

TEST(Choices, RegretIsWhatTheSwapCosts) {
  const ChoiceErrors e = measure_choice(kChoice, std::vector<double>{0, 3, 1, 3}, &kScores);
  EXPECT_EQ(e.sets.different, 1u);
  EXPECT_THAT(e.rows, ElementsAre(0, 1));
  EXPECT_DOUBLE_EQ(e.worst_regret, 0.5);
  EXPECT_EQ(e.sets.got, 3);
  EXPECT_EQ(e.sets.want, 2);
}

TEST(Choices, NonsenseHasInfiniteRegret) {
  EXPECT_EQ(measure_choice(kChoice, std::vector<double>{0, 99, 1, 2}, &kScores).worst_regret,
            HUGE_VAL);
  EXPECT_EQ(
      measure_choice(kChoice, std::vector<double>{0, std::nan(""), 1, 2}, &kScores).sets.different,
      1u);
  EXPECT_EQ(measure_choice(kChoice, std::vector<double>{0, 0, 1, 2}, &kScores).sets.different, 1u);
}

TEST(Choices, WhatIsNoChoiceIsCounted) {
  const ChoiceErrors twice = measure_choice(kChoice, std::vector<double>{0, 3, 1, 1}, &kScores);
  EXPECT_EQ(twice.invalid, 1u);
  EXPECT_EQ(twice.first_invalid, 3u);
  EXPECT_EQ(measure_choice(kChoice, std::vector<double>{4, 3, 1, 2}, &kScores).invalid, 1u);
  EXPECT_EQ(measure_choice(kChoice, std::vector<double>{4, 3, 1, 2}, nullptr).invalid, 0u);
}

TEST(Choices, SlotsWithoutAnIndexAreMatchedByLeastError) {
  const Tap weights{"text.layer.0.moe.topk_weight", {2, 3}, {5, 2, 1, 0.5, 0.3, 0.2}, false};
  EXPECT_THAT(match_slots(weights, std::vector<double>{1, 5, 2, 0.2, 0.3, 0.5}),
              ElementsAre(5, 2, 1, 0.5, 0.3, 0.2));
  // Not slot by slot: 4 is nearest to both 5 and 3, and the sum of distances decides.
  const Tap pairs{"text.layer.0.moe.topk_weight", {1, 2}, {3, 5}, false};
  EXPECT_THAT(match_slots(pairs, std::vector<double>{4.5, 4}), ElementsAre(4, 4.5));
  const Tap wide{"text.layer.0.moe.expert_out", {1, 2, 2}, {1, 2, 8, 9}, false};
  EXPECT_THAT(match_slots(wide, std::vector<double>{8, std::nan(""), 1, 2}),
              testing::ElementsAre(1, 2, 8, testing::IsNan()));
}

TEST(Choices, NearTiesAreTheRowsWithASmallMargin) {
  EXPECT_THAT(near_ties(kChoice, kScores, 0.6), ElementsAre(0, 1));
  EXPECT_THAT(near_ties(kChoice, kScores, 1.0), ElementsAre(1, 1));
  EXPECT_THAT(near_ties(kChoice, kScores, 0.1), ElementsAre(0, 0));
}

TEST(Choices, OnlyDistinctWholeNumbersInRangeAreValid) {
  EXPECT_TRUE(valid_choice(std::vector<double>{0, 3, 1, 2}, 2, 4));
  EXPECT_FALSE(valid_choice(std::vector<double>{0, 4, 1, 2}, 2, 4));
  EXPECT_FALSE(valid_choice(std::vector<double>{0, 0, 1, 2}, 2, 4));
  EXPECT_FALSE(valid_choice(std::vector<double>{0, 0.5, 1, 2}, 2, 4));
  EXPECT_FALSE(valid_choice(std::vector<double>{-1, 2, 1, 2}, 2, 4));
  EXPECT_FALSE(valid_choice(std::vector<double>{1, std::nan(""), 1, 2}, 2, 4));
}

TEST(Choices, SlotsFollowTheirExpert) {
  const auto aligned =
      align_slots(std::vector<double>{30, 0, 10, 20}, kChoice, std::vector<double>{3, 0, 1, 2});
  ASSERT_TRUE(aligned);
  EXPECT_THAT(aligned->values, ElementsAre(0, 30, 10, 20));
  EXPECT_THAT(aligned->rows, ElementsAre(0, 0));
  const auto wide = align_slots(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}, kChoice,
                                std::vector<double>{3, 0, 1, 0});
  ASSERT_TRUE(wide);
  EXPECT_THAT(wide->values, ElementsAre(3, 4, 1, 2, 5, 6, 7, 8));
  EXPECT_THAT(wide->rows, ElementsAre(0, 1));
  EXPECT_FALSE(align_slots(std::vector<double>{1, 2, 3}, kChoice, kChoice.values));
}

}  // namespace
}  // namespace assay::conformance
