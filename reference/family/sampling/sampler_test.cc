// SPDX-License-Identifier: Apache-2.0
// Spec: prompting 4.3; mutations P51-P54 of its section 6. Expected numbers were computed apart, in
// Python, its Mersenne twister written from the published recurrence.
#include "reference/family/sampling/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const SamplingOptions kUncut{.temperature = 1, .top_k = 0, .top_p = 1, .suppress = {}};

std::vector<std::int32_t> ids(const std::vector<Candidate>& candidates) {
  std::vector<std::int32_t> ids;
  ids.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    ids.push_back(candidate.id);
  }
  return ids;
}

std::vector<double> logs_of(const std::vector<double>& probabilities) {
  std::vector<double> logs;
  logs.reserve(probabilities.size());
  for (const double p : probabilities) {
    logs.push_back(std::log(p));
  }
  return logs;
}

// Top-p before top-k keeps three of these, on the distribution before the temperature two (P51).
TEST(Candidates, TemperatureThenTopKThenTopP) {  // RS-2
  std::vector<double> logits(23, 0.0);
  logits[4] = 1.0;
  logits[9] = 0.5;
  logits[2] = 0.25;
  const auto kept = candidates(logits, {0.5, 3, 0.6, {}});
  EXPECT_THAT(ids(kept), ElementsAre(4));
  EXPECT_EQ(kept[0].probability, 1.0);
  EXPECT_THAT(ids(candidates(logits, {0.5, 3, 0.63, {}})), ElementsAre(4, 9));
}

TEST(Candidates, TheTokenThatCrossesTopPStays) {  // P52, RS-6
  const auto kept = candidates(logs_of({0.6, 0.3, 0.1}), {1.0, 0, 0.7, {}});
  ASSERT_THAT(ids(kept), ElementsAre(0, 1));
  EXPECT_NEAR(kept[0].probability, 2.0 / 3, 1e-15);
  EXPECT_NEAR(kept[1].probability, 1.0 / 3, 1e-15);
}

TEST(Candidates, TheReleasedTopPCuts) {
  EXPECT_THAT(ids(candidates(logs_of({0.6, 0.36, 0.04}), SamplingOptions{})), ElementsAre(0, 1));
}

TEST(Candidates, ATinyTopPLeavesOne) {
  EXPECT_THAT(ids(candidates(logs_of({0.2, 0.5, 0.3}), {1.0, 0, 1e-300, {}})), ElementsAre(1));
}

TEST(Candidates, NothingButTheCutsIsActive) {  // P53
  const std::vector<double> logits = {1.0, 3.0, 2.0, 0.0, 2.5, -1.0};
  const std::vector<Candidate> expected = {{1, 0.45916884835048016},  {4, 0.27849998450950686},
                                           {2, 0.16891877933450938},  {0, 0.0621417461449415},
                                           {3, 0.022860670845218707}, {5, 0.00840997081534334}};
  const auto kept = candidates(logits, kUncut);
  ASSERT_EQ(kept.size(), expected.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].id, expected[i].id);
    EXPECT_NEAR(kept[i].probability, expected[i].probability, 1e-15);
  }
  const auto three = candidates(logits, {1.0, 3, 1.0, {}});
  ASSERT_THAT(ids(three), ElementsAre(1, 4, 2));
  EXPECT_NEAR(three[0].probability, 0.5064803910556541, 1e-15);
  EXPECT_NEAR(three[2].probability, 0.18632372322584762, 1e-15);
}

TEST(Candidates, ATokenIsNeverTooUnlikelyByItself) {  // as a default min-p would have it
  EXPECT_EQ(candidates(std::vector<double>{0.0, -30.0}, kUncut).size(), 2);
}

TEST(Candidates, TiesAtTheThresholdStay) {  // RS-5
  const std::vector<double> logits = {1, 2, 3, 2, 2, 1};
  EXPECT_THAT(ids(candidates(logits, {1.0, 2, 1.0, {}})), ElementsAre(2, 1, 3, 4));
  EXPECT_THAT(ids(candidates(logits, {1.0, 4, 1.0, {}})), ElementsAre(2, 1, 3, 4));
  EXPECT_THAT(ids(candidates(logits, {1.0, 1, 1.0, {}})), ElementsAre(2));
  EXPECT_EQ(candidates(logits, {1.0, 6, 1.0, {}}).size(), 6);
  EXPECT_EQ(candidates(logits, {1.0, 100, 1.0, {}}).size(), 6);
}

TEST(Candidates, TemperatureZeroTakesTheLowestOfTheLargest) {  // RS-4
  const std::vector<double> logits = {1, 7, 3, 7, 7};
  const auto kept = candidates(logits, {0.0, 3, 0.1, {}});
  ASSERT_THAT(ids(kept), ElementsAre(1));
  EXPECT_EQ(kept[0].probability, 1.0);
}

TEST(Candidates, SuppressedBeforeAnythingElse) {  // RS-3
  const std::vector<double> logits = {1, 7, 3, 6, 2};
  EXPECT_THAT(ids(candidates(logits, {0.0, 0, 1.0, {1}})), ElementsAre(3));
  EXPECT_THAT(ids(candidates(logits, {1.0, 2, 1.0, {1, 3}})), ElementsAre(2, 4));
  // Ids that the vocabulary has not are nobody's.
  EXPECT_THAT(ids(candidates(logits, {0.0, 0, 1.0, {-1, 5, 258883}})), ElementsAre(1));
}

TEST(Candidates, LargeLogitsDoNotOverflow) {
  const auto kept = candidates(std::vector<double>{900, 900, -900}, {0.01, 0, 1.0, {}});
  EXPECT_EQ(kept[0].probability, 0.5);
  EXPECT_EQ(kept[1].probability, 0.5);
  EXPECT_EQ(kept[2].probability, 0.0);
}

TEST(Candidates, RefusesWhatIsNoDistribution) {
  const auto refused = [](const std::vector<double>& logits, const SamplingOptions& options) {
    return error_of([&] { candidates(logits, options); });
  };
  EXPECT_EQ(refused({1, kNan}, kUncut), "logits[1]: got nan, expected a number");
  EXPECT_EQ(refused({1, kNan}, {0.0, 0, 1.0, {}}), "logits[1]: got nan, expected a number");
  const std::string nothing = "logits: got nothing that may be chosen, expected at least one token";
  EXPECT_EQ(refused({-kInfinity, -kInfinity}, kUncut), nothing);
  EXPECT_EQ(refused({}, kUncut), nothing);
  EXPECT_EQ(refused({1, 2}, {0.0, 0, 1.0, {0, 1}}), nothing);
}

TEST(Candidates, RefusesOptionsOutOfRange) {
  const std::vector<double> logits = {1, 2};
  for (const double temperature : {-1.0, kNan, kInfinity}) {
    EXPECT_THAT(error_of([&] {
                  candidates(logits, {temperature, 0, 1.0, {}});
                }),
                HasSubstr("temperature: got "));
  }
  for (const double top_p : {0.0, -0.5, 1.5, kNan}) {
    EXPECT_THAT(error_of([&] {
                  candidates(logits, {1.0, 0, top_p, {}});
                }),
                HasSubstr("top_p: got "));
    EXPECT_THAT(error_of([&] { Sampler({1.0, 0, top_p, {}}, 1); }), HasSubstr("top_p: got "));
  }
}

TEST(Draw, TheFirstWhoseCumulativeProbabilityExceedsTheVariate) {  // RS-7
  const std::vector<Candidate> kept = {{3, 0.5}, {1, 0.25}, {7, 0.25}};
  EXPECT_EQ(draw(kept, 0.0), 3);
  EXPECT_EQ(draw(kept, 0.49), 3);
  EXPECT_EQ(draw(kept, 0.5), 1);  // exceeds, not reaches
  EXPECT_EQ(draw(kept, 0.75), 7);
  EXPECT_EQ(draw(kept, 1 - 0x1p-53), 7);
}

TEST(Draw, EqualProbabilitiesGoById) {
  const auto kept = candidates(std::vector<double>{1, 1, 1, 1}, kUncut);
  EXPECT_EQ(draw(kept, 0.1), 0);
  EXPECT_EQ(draw(kept, 0.3), 1);
  EXPECT_EQ(draw(kept, 0.6), 2);
  EXPECT_EQ(draw(kept, 0.9), 3);
}

TEST(Draw, ASumALittleBelowOneGivesTheLast) {
  EXPECT_EQ(draw({{0, 0.3}, {1, 0.3}, {2, 0.3}}, 0.95), 2);
}

TEST(LogProbability, IsOfTheUncutDistribution) {  // P54, RS-8
  const std::vector<double> logits = {1.5, -2.25, 30, 29.5, -30};
  const std::vector<double> expected = {-28.974076984180373867, -32.724076984180373867,
                                        -0.47407698418037386683, -0.97407698418037386683,
                                        -60.474076984180373867};
  for (std::size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(log_probability(logits, static_cast<std::int32_t>(i)), expected[i], 1e-14);
  }
}

TEST(LogProbability, IsStableFarFromZero) {
  for (const double offset : {40.0, -700.0, 800.0}) {
    const std::vector<double> logits = {offset, offset - 0.125, offset - 3};
    EXPECT_NEAR(log_probability(logits, 0), -0.65870270788404664386, 1e-15);
    EXPECT_NEAR(log_probability(logits, 1), -0.78370270788404664386, 1e-15);
    EXPECT_NEAR(log_probability(logits, 2), -3.6587027078840466439, 1e-14);
  }
}

TEST(LogProbability, RefusesWhatHasNone) {
  EXPECT_THAT(error_of([] {
                log_probability(std::vector<double>{1, kNan}, 0);
              }),
              HasSubstr("logits[1]: got nan"));
  EXPECT_THAT(error_of([] {
                log_probability(std::vector<double>{-kInfinity, -kInfinity}, 0);
              }),
              HasSubstr("logits: got"));
  for (const std::int32_t id : {-1, 2}) {
    EXPECT_THAT(error_of([=] {
                  log_probability(std::vector<double>{1, 2}, id);
                }),
                HasSubstr("token " + std::to_string(id)));
  }
}

std::vector<std::int32_t> sampled(std::uint64_t seed, std::size_t count) {
  const std::vector<double> logits = {1.0, 3.0, 2.0, 0.0, 2.5, -1.0};
  Sampler sampler(kUncut, seed);
  std::vector<std::int32_t> tokens;
  for (std::size_t i = 0; i < count; ++i) {
    tokens.push_back(sampler.next(logits));
  }
  return tokens;
}

TEST(Sampler, ASeedGivesTheSameTokensEverywhere) {
  EXPECT_THAT(sampled(1, 16), ElementsAre(1, 1, 1, 1, 1, 0, 4, 1, 4, 4, 1, 4, 2, 1, 1, 1));
  EXPECT_EQ(sampled(1, 50), sampled(1, 50));
  EXPECT_NE(sampled(1, 50), sampled(2, 50));
}

TEST(Sampler, DefaultsAreThoseOfTheReleasedConfiguration) {  // RS-9
  const SamplingOptions options;
  EXPECT_EQ(options.temperature, 1.0);
  EXPECT_EQ(options.top_k, 64);
  EXPECT_EQ(options.top_p, 0.95);
  EXPECT_TRUE(options.suppress.empty());
}

}  // namespace
}  // namespace assay
