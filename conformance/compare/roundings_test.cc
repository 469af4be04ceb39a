// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/roundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "conformance/catalogue/inner_steps.h"
#include "conformance/compare/inner_rounding.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kRows = 50;
constexpr std::size_t kChannels = 100;
const PrecisionClass& kBf16 = *find_precision("bf16");

Tap truth_of(std::size_t rows = kRows, std::size_t channels = kChannels) {
  Tap tap;
  tap.name = "text.layer.0.ffn.down";
  tap.shape = {rows, channels};
  Random random(1);
  for (std::size_t i = 0; i < rows * channels; ++i) {
    tap.values.push_back(random.gaussian());
  }
  return tap;
}

std::vector<double> rounded(const Tap& tap, const PrecisionClass& precision = kBf16) {
  std::vector<double> values;
  for (const double y : tap.values) {
    values.push_back(round_to_class(y, precision));
  }
  return values;
}

double one_ulp_up(double value) {
  return value + spacing_of_class(value, kBf16);
}

TapResult judged(const Tap& truth, const std::vector<double>& got, bool single = true,
                 const RoundingFloor& floor = {}) {
  Roundings roundings = measure_roundings(truth, got, kBf16);
  roundings.single = single;
  TapResult result;
  judge_roundings(roundings, floor, kBf16, result);
  return result;
}

TEST(Roundings, TheRightNumbersPass) {
  for (const char* name : {"bf16", "f16"}) {
    const Tap truth = truth_of();
    const PrecisionClass& precision = *find_precision(name);
    const Roundings found = measure_roundings(truth, rounded(truth, precision), precision);
    EXPECT_EQ(found.count, kRows * kChannels);
    EXPECT_EQ(found.different, 0u);
    TapResult result;
    judge_roundings(found, {}, precision, result);
    EXPECT_EQ(result.verdict, Verdict::kPass);
    EXPECT_EQ(result.note, "");
  }
}

TEST(Roundings, OneUlpOnTwoPerCentFails) {
  const Tap truth = truth_of();
  std::vector<double> got = rounded(truth);
  for (std::size_t i = 0; i < got.size(); i += 50) {
    got[i] = one_ulp_up(got[i]);
  }
  for (const bool single : {true, false}) {
    const TapResult result = judged(truth, got, single);
    if (single) {
      EXPECT_EQ(result.verdict, Verdict::kFail);
      EXPECT_EQ(result.code, "ROUNDING");
      EXPECT_THAT(result.note, HasSubstr("2 % of the elements are rounded to another bf16"));
    }
  }
}

TEST(Roundings, ALongerStepFailsByRateAlone) {
  const Tap truth = truth_of();
  std::vector<double> got = rounded(truth);
  got[7] = one_ulp_up(got[7]);  // what fell on the other side within it moves others by much
  EXPECT_EQ(judged(truth, got, false).verdict, Verdict::kPass);
  EXPECT_EQ(judged(truth, got, true).verdict, Verdict::kFail);
  for (std::size_t i = 0; i < got.size(); i += 25) {
    got[i] = one_ulp_up(got[i]);
  }
  EXPECT_EQ(judged(truth, got, false).verdict, Verdict::kFail);
}

TEST(Roundings, OneElementFarOffFailsBySize) {
  const Tap truth = truth_of();
  std::vector<double> got = rounded(truth);
  got[1234] = one_ulp_up(got[1234]);
  const TapResult result = judged(truth, got);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_THAT(result.note, HasSubstr("beyond the boundary"));
}

TEST(Roundings, TruncationIsToldFromTheSideOnWhichTheNumbersLie) {
  const Tap truth = truth_of();
  std::vector<double> got = rounded(truth);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double ulp = spacing_of_class(truth.values[i], kBf16);
    got[i] = std::trunc(truth.values[i] / ulp) * ulp;
  }
  EXPECT_THAT(judged(truth, got).note, HasSubstr("nearly all toward zero: truncated"));
}

// Truth so near to a boundary that fp32 may take either side: by count, not by size.
Tap near_boundaries(Tap truth, const std::vector<std::size_t>& elements) {
  for (const std::size_t i : elements) {
    truth.values[i] = (1 + 0x1p-8) * (1 - 0x1p-24);  // halfway between 1 and 1 + 2^-7, less a trace
  }
  return truth;
}

TEST(Roundings, OneChannelOffFailsByConcentration) {
  std::vector<std::size_t> channel;
  for (std::size_t row = 0; row < 8; ++row) {
    channel.push_back(row * kChannels + 3);
  }
  const Tap truth = near_boundaries(truth_of(), channel);
  std::vector<double> got = rounded(truth);
  for (const std::size_t i : channel) {
    got[i] = 1 + 0x1p-7;
  }
  const TapResult result = judged(truth, got);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_THAT(result.note, HasSubstr("8 of 50 elements of one channel"));
  EXPECT_EQ(judged(truth, got, true, {.in_channel = 8}).verdict, Verdict::kPass);
}

TEST(Roundings, OneRowOffFailsByConcentration) {
  std::vector<std::size_t> row;
  for (std::size_t channel = 0; channel < 8; ++channel) {
    row.push_back(2 * kChannels + channel);
  }
  const Tap truth = near_boundaries(truth_of(), row);
  std::vector<double> got = rounded(truth);
  for (const std::size_t i : row) {
    got[i] = 1 + 0x1p-7;
  }
  EXPECT_THAT(judged(truth, got).note, HasSubstr("8 of 100 elements of one row"));
}

TEST(Roundings, ATieMayGoEitherWay) {
  Tap truth = truth_of();
  std::vector<double> got = rounded(truth);
  for (std::size_t i = 0; i < got.size(); i += 2) {
    truth.values[i] = 1 + 0x1p-8;
    got[i] = i % 4 == 0 ? 1 : 1 + 0x1p-7;
  }
  EXPECT_EQ(measure_roundings(truth, got, kBf16).different, 0u);
  EXPECT_EQ(judged(truth, got).verdict, Verdict::kPass);
}

TEST(Roundings, ZeroAndWhatOverflowsAreNoTrap) {
  Tap truth = truth_of(1, 3);
  truth.values = {0, 7e4, -0.0};
  const Roundings found =
      measure_roundings(truth, std::vector<double>{0, INFINITY, 0}, *find_precision("f16"));
  EXPECT_EQ(found.count, 2u);
  EXPECT_EQ(found.different, 0u);
}

TEST(Roundings, OtherNumbersThanTheClassesAreNotJudged) {
  const Tap truth = truth_of();
  std::vector<double> got = rounded(truth);
  for (std::size_t i = 0; i < got.size(); i += 10) {
    got[i] += 0x1p-12;
  }
  const TapResult result = judged(truth, got);
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_THAT(result.note, HasSubstr("resolution: low"));
}

TEST(Roundings, WhereHonestProgramsDifferNothingIsJudged) {
  const Tap truth = truth_of();
  std::vector<double> got = rounded(truth);
  got[7] = one_ulp_up(got[7]);
  const TapResult result = judged(truth, got, true, {.share = 0.2});
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_THAT(result.note, HasSubstr("resolution: low"));
}

TEST(Roundings, RouterAndExpertsAreNotJudged) {
  EXPECT_TRUE(is_rounded_as_known("text.layer.3.ffn.act"));
  EXPECT_TRUE(is_rounded_as_known("text.layer.3.moe.combined"));
  EXPECT_TRUE(is_rounded_as_known("text.logits"));
  EXPECT_TRUE(is_rounded_as_known("text.rope.local.cos"));
  for (const char* tap : {"text.layer.3.moe.sum", "text.layer.3.moe.router_in", "text.ple.ctx",
                          "text.layer.3.moe.topk_weight", "vision.layer.0.attn.mix", "no.tap"}) {
    EXPECT_FALSE(is_rounded_as_known(tap)) << tap;
  }
}

Tap tap_of(const char* name, std::vector<std::size_t> shape, std::vector<double> values) {
  Tap tap;
  tap.name = name;
  tap.shape = std::move(shape);
  tap.values = std::move(values);
  return tap;
}

// R(R(x cos) + R(x' sin)): x = 1 + 2^-7, cos = sin = 1 - 2^-8 give products of 16 bits.
TEST(InnerRounding, RopeRoundsItsProducts) {
  InnerRounding inner(kBf16, {.at_taps = true, .in_steps = true});
  Tap cos = tap_of("text.rope.local.cos", {1, 1}, {1 - 0x1p-8});
  Tap sin = tap_of("text.rope.local.sin", {1, 1}, {1 - 0x1p-8});
  Tap x = tap_of("text.layer.0.attn.q_norm", {1, 1, 2}, {1 + 0x1p-7, 1});
  for (Tap* tap : {&cos, &sin, &x}) {
    inner.within(*tap);
    inner.after(*tap, true);
  }
  const double product = (1 + 0x1p-7) * (1 - 0x1p-8);
  Tap rope = tap_of("text.layer.0.attn.q_rope", {1, 1, 2},
                    {product - (1 - 0x1p-8), (1 - 0x1p-8) + product});
  inner.within(rope);
  const double stored = round_to_class(product, kBf16);
  ASSERT_NE(stored, product);
  EXPECT_THAT(rope.values, ElementsAre(stored - (1 - 0x1p-8), (1 - 0x1p-8) + stored));
}

TEST(InnerRounding, TheCapOfLogitsIsSeenFromThem) {
  InnerRounding inner(kBf16, {.at_taps = true, .in_steps = true});
  const std::vector<double> raw = {0.5, 20, -3};
  Tap before = tap_of("text.logits_raw", {1, 3}, raw);
  inner.after(before, true);
  std::vector<double> capped;
  std::vector<double> wanted;
  for (const double x : raw) {
    capped.push_back(30 * std::tanh(x / 30));
    wanted.push_back(30 * round_to_class(std::tanh(round_to_class(x / 30, kBf16)), kBf16));
  }
  Tap logits = tap_of("text.logits", {1, 3}, capped);
  inner.within(logits);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    EXPECT_DOUBLE_EQ(logits.values[i], wanted[i]);
  }
}

TEST(InnerRounding, FusedAttentionRoundsWhatIsNotYetDivided) {
  InnerRounding inner(kBf16, {.at_taps = true, .in_steps = true, .fused_attention = true});
  const double sum = 1 + std::exp(-1.0) + std::exp(-2.0);
  Tap probs = tap_of("text.layer.0.attn.probs", {1, 1, 3},
                     {1 / sum, std::exp(-1.0) / sum, std::exp(-2.0) / sum});
  inner.after(probs, false);
  EXPECT_DOUBLE_EQ(probs.values[0], 1 / sum);
  EXPECT_DOUBLE_EQ(probs.values[1], round_to_class(std::exp(-1.0), kBf16) / sum);
}

TEST(InnerRounding, WhatFollowsFromHiddenExpertsIsLostUntilTheStreamIsShown) {
  InnerRounding inner(kBf16, {.at_taps = true});
  Tap sum = tap_of("text.layer.0.moe.sum", {1, 1}, {1});
  inner.after(sum, false);
  EXPECT_TRUE(inner.is_lost("text.layer.0.out"));
  Tap out = tap_of("text.layer.0.out", {1, 1}, {1});
  inner.after(out, true);
  EXPECT_FALSE(inner.is_lost("text.layer.1.attn.norm_in"));
}

TEST(InnerRounding, AStepOverAllOfABlockIsNotJudged) {
  InnerRounding inner(kBf16, {.at_taps = true});
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(inner.is_lost("text.layer.0.attn.residual"));
    Tap hidden = tap_of("text.layer.0.attn.q_proj", {1, 1}, {1});
    inner.after(hidden, false);
  }
  EXPECT_TRUE(inner.is_lost("text.layer.0.attn.residual"));
}

}  // namespace
}  // namespace assay::conformance
