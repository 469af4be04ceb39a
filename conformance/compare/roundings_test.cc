// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/roundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <tuple>
#include <vector>

#include "conformance/catalogue/inner_steps.h"
#include "conformance/compare/inner_rounding.h"
#include "conformance/compare/other_gelu.h"

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

// What the float build is off by before it rounds tells of a sum that cancels.
TEST(Roundings, AnElementMayLieFartherWhereSumsCancel) {
  Roundings found;
  found.count = 1000;
  found.rows = 10;
  found.channels = 100;
  found.different = 1;
  for (const auto& [spread, excess, right] : {std::tuple{546.0, 1195.0, true},
                                              {546.0, 5500.0, false},
                                              {20.0, 17.0, true},
                                              {20.0, 19.0, false}}) {
    found.excess = excess;
    TapResult result;
    RoundingFloor floor;
    floor.raise(FloatSpread{spread, 0});
    judge_roundings(found, floor, kBf16, result);
    EXPECT_EQ(result.verdict, right ? Verdict::kPass : Verdict::kFail) << spread << " " << excess;
  }
}

// A twentieth of the distance of two numbers off: one in twenty lands on another, on average.
TEST(Roundings, TheFloatBuildTellsHowManyValuesTurn) {
  const Tap truth = truth_of();
  std::vector<double> got = truth.values;
  for (double& value : got) {
    value += spacing_of_class(value, kBf16) / 20;
  }
  const FloatSpread spread = measure_spread(truth.values, got, kBf16);
  EXPECT_NEAR(spread.share, 0.05, 1e-12);
  EXPECT_GT(spread.largest, 0x1p-8 / 20 / 0x1p-24 / 2);
  Tap rounded_got = truth;
  rounded_got.values = rounded(Tap{"", truth.shape, got, false});
  const Roundings found = measure_roundings(truth, rounded_got.values, kBf16);
  EXPECT_NEAR(found.share(), spread.share, 0.03);
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

TEST(Roundings, WhatTheRouterKeepsInFloatIsNotJudged) {
  EXPECT_TRUE(is_rounded_as_known("text.layer.3.ffn.act"));
  EXPECT_TRUE(is_rounded_as_known("text.layer.3.moe.combined"));
  EXPECT_TRUE(is_rounded_as_known("text.logits"));
  EXPECT_TRUE(is_rounded_as_known("text.rope.local.cos"));
  EXPECT_TRUE(is_rounded_as_known("text.layer.3.moe.sum"));
  EXPECT_TRUE(is_rounded_as_known("text.layer.3.moe.gate_up"));
  EXPECT_TRUE(is_rounded_as_known("text.ple.ctx"));
  EXPECT_TRUE(is_rounded_as_known("mtp.step.1.layer.0.ffn.down"));
  EXPECT_TRUE(is_rounded_as_known("media.0.audio.layer.1.ffn1.pre_norm"));
  EXPECT_TRUE(is_rounded_as_known("media.0.audio.subsample.0.norm"));
  EXPECT_TRUE(is_rounded_as_known("media.1.vision.layer.0.mlp.act"));
  for (const char* tap :
       {"text.layer.3.moe.topk_weight", "text.layer.3.moe.router_probs", "text.ple.ids",
        "vision.layer.0.attn.context", "mtp.step.0.logits", "no.tap"}) {
    EXPECT_FALSE(is_rounded_as_known(tap)) << tap;
  }
}

// 256 for 255: one roundoff of bf16, in all values alike. A rounding of each is none, not even
// where they are few and all go up.
TEST(Roundings, AGainOfAllValuesFailsAndTheirRoundingDoesNot) {
  Tap truth = truth_of();
  std::vector<double> scaled;
  for (double& value : truth.values) {
    value = value > 0 ? 1 + 0x1.2p-8 : -1 - 0x1.2p-8;
  }
  for (const double value : truth.values) {
    scaled.push_back(round_to_class(value * 255 / 256, kBf16));
  }
  for (const auto& [got, right] :
       {std::pair(rounded(truth), true), std::pair(scaled, false), std::pair(truth.values, true)}) {
    Roundings found = measure_roundings(truth, got, kBf16);
    found.before_model = true;
    TapResult result;
    judge_roundings(found, {}, kBf16, result);
    EXPECT_EQ(result.verdict, right ? Verdict::kPass : Verdict::kFail);
    EXPECT_EQ(result.code, right ? "" : "GAIN");
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

constexpr RoundingPoints kEager = {.at_taps = true, .in_steps = true};

// Rows of a table are numbers of the class, so that they are seen from the product with sqrt(20).
TEST(InnerRounding, ThePerLayerScaleIsRoundedBeforeItMultiplies) {
  InnerRounding inner(kBf16, kEager);
  const double row = 1 + 0x1p-7;
  Tap token = tap_of("text.ple.token", {1, 1, 20}, std::vector<double>(20, row * std::sqrt(20)));
  inner.within(token);
  EXPECT_EQ(token.values.front(), row * round_to_class(std::sqrt(20), kBf16));
}

// y = x / rms(x) w of x = proj / sqrt(D): what is normed is R(x).
TEST(InnerRounding, ThePerLayerContextIsTheNormOfRoundedNumbers) {
  InnerRounding inner(kBf16, kEager);
  Tap embed = tap_of("text.embed", {1, 3}, {1, 2, 3});
  Tap proj = tap_of("text.ple.proj", {1, 1, 2}, {1 + 0x1p-7, 3});
  for (Tap* tap : {&embed, &proj}) {
    inner.within(*tap);
    inner.after(*tap, true);
  }
  const auto normed = [](double a, double b) {
    const double rms = std::sqrt((a * a + b * b) / 2 + 1e-6);
    return std::vector<double>{a / rms * 0.5, b / rms * 7};
  };
  const double root = std::sqrt(3);
  Tap ctx = tap_of("text.ple.ctx", {1, 1, 2}, normed((1 + 0x1p-7) / root, 3 / root));
  inner.within(ctx);
  const auto wanted =
      normed(round_to_class((1 + 0x1p-7) / root, kBf16), round_to_class(3 / root, kBf16));
  EXPECT_NEAR(ctx.values[0], wanted[0], 1e-15);
  EXPECT_NEAR(ctx.values[1], wanted[1], 1e-14);
}

TEST(InnerRounding, ThePerLayerInputIsASumThatIsRounded) {
  InnerRounding inner(kBf16, kEager);
  Tap ctx = tap_of("text.ple.ctx", {1, 1, 1}, {1 + 0x1p-7});
  Tap token = tap_of("text.ple.token", {1, 1, 1}, {4});
  inner.after(ctx, true);
  inner.after(token, true);
  Tap in = tap_of("text.ple.in", {1, 1, 1}, {(5 + 0x1p-7) * std::sqrt(0.5)});
  inner.within(in);
  EXPECT_NEAR(in.values[0], 5 * std::sqrt(0.5), 1e-15);
  inner.after(in, false);
  EXPECT_FALSE(inner.is_lost("text.layer.0.ple.mul"));  // both of its parts are shown
}

TEST(InnerRounding, TheRouterRoundsBeforeItDividesByTheRootOfTheWidth) {
  InnerRounding inner(kBf16, kEager);
  const double product = 1 + 0x1p-10;  // norm times scale
  Tap in =
      tap_of("text.layer.0.moe.router_in", {1, 3}, std::vector<double>(3, product / std::sqrt(3)));
  inner.within(in);
  EXPECT_DOUBLE_EQ(in.values[0], 1 / std::sqrt(3));
}

TEST(InnerRounding, SoMayAGeluThatIsATap) {
  InnerRounding inner(kBf16, {});
  Tap gate = tap_of("text.layer.0.ffn.gate", {1, 1}, {-4.5});
  inner.within(gate);
  inner.after(gate, true);
  const double gelu = gelu_tanh(-4.5);
  for (const auto& [off, right] : {std::pair(1.0, true), std::pair(4.0, false)}) {
    const double theirs = round_to_class(gelu + off * 0x1p-24 * 4.5, kBf16);
    ASSERT_NE(theirs, round_to_class(gelu, kBf16));
    const Tap got = tap_of("text.layer.0.ffn.act", {1, 1}, {theirs});
    Tap act = tap_of("text.layer.0.ffn.act", {1, 1}, {gelu});
    inner.within(act, &got);
    EXPECT_EQ(round_to_class(act.values[0], kBf16) == theirs, right) << off;
    Tap alone = tap_of("text.layer.0.ffn.act", {1, 1}, {gelu});
    inner.within(alone);
    EXPECT_EQ(alone.values[0], gelu);
  }
}

// Where GELU cancels, fp32 programs are off by 1.5 u |gate|: whatever lies within is right.
TEST(InnerRounding, AGeluNearZeroMayBeOffByItsRounding) {
  for (const bool in_steps : {false, true}) {
    InnerRounding inner(kBf16, {.at_taps = true, .in_steps = in_steps});
    Tap gate = tap_of("text.layer.0.ple.gate", {1, 1}, {-4.5});
    inner.within(gate);
    inner.after(gate, true);
    const double gelu = gelu_tanh(-4.5);
    for (const auto& [off, right] : {std::pair(1.0, true), std::pair(4.0, false)}) {
      const double theirs = round_to_class(gelu + off * 0x1p-24 * 4.5, kBf16);
      const Tap got = tap_of("text.layer.0.ple.mul", {1, 1}, {round_to_class(3 * theirs, kBf16)});
      Tap mul = tap_of("text.layer.0.ple.mul", {1, 1}, {3 * gelu});
      inner.within(mul, &got);
      EXPECT_EQ(round_to_class(mul.values[0], kBf16) == got.values[0], right) << off;
    }
  }
}

// A drafter's angles are seen from a pair and what became of it.
TEST(InnerRounding, ADraftersRopeRoundsItsProducts) {
  InnerRounding inner(kBf16, {.at_taps = true, .in_steps = true});
  const double c = std::cos(0.7);
  const double s = std::sin(0.7);
  const double a = 1 + 0x1p-7;
  const double b = -3;
  Tap x = tap_of("mtp.step.0.layer.1.attn.q_norm", {1, 1, 2}, {a, b});
  inner.within(x);
  inner.after(x, true);
  Tap rope = tap_of("mtp.step.0.layer.1.attn.q_rope", {1, 1, 2}, {a * c - b * s, b * c + a * s});
  inner.within(rope);
  const auto r = [](double v) { return round_to_class(v, kBf16); };
  EXPECT_DOUBLE_EQ(rope.values[0], r(a * r(c)) - r(b * r(s)));
  EXPECT_DOUBLE_EQ(rope.values[1], r(b * r(c)) + r(a * r(s)));
}

// gelu_tanh(gate) up' is R(R(gelu_tanh(gate)) up), and what is compared stays as it was.
TEST(InnerRounding, WhatIsBetweenTheProductsOfAnExpertIsRounded) {
  InnerRounding inner(kBf16, kEager);
  Tap gate_up = tap_of("text.layer.0.moe.gate_up", {1, 1, 2}, {1.5, 1 + 0x1p-7});
  inner.within(gate_up);
  EXPECT_EQ(gate_up.values[1], 1 + 0x1p-7);
  inner.after(gate_up, true);
  const double gelu =
      0.75 *
      (1 + std::tanh(std::sqrt(2 * std::numbers::inv_pi) * (1.5 + 0.044715 * 1.5 * 1.5 * 1.5)));
  const double wanted = round_to_class(round_to_class(gelu, kBf16) * (1 + 0x1p-7), kBf16);
  EXPECT_NEAR(gelu * gate_up.values[1], wanted, 1e-15);
}

// One expert after another, in their order and not in that of the slots, with R after each; or
// summed in fp32. The dump says which.
TEST(InnerRounding, ExpertsAreSummedAsTheDumpHasThem) {
  const std::vector<double> outputs = {1 + 0x1p-7, 0x1p-8, 3 * 0x1p-8};  // of experts 4, 2, 0
  const double at_once = 1 + 0x1p-7 + 4 * 0x1p-8;
  const double in_turn = round_to_class(1 + 0x1p-7 + 4 * 0x1p-8, kBf16);
  const double by_slot =
      round_to_class(round_to_class(1 + 0x1p-7 + 0x1p-8, kBf16) + 3 * 0x1p-8, kBf16);
  ASSERT_NE(in_turn, by_slot);
  for (const double dumped : {in_turn, 7.0}) {
    InnerRounding inner(kBf16, kEager);
    Tap index = tap_of("text.layer.0.moe.topk_index", {1, 3}, {4, 2, 0});
    index.integer = true;
    Tap weight = tap_of("text.layer.0.moe.topk_weight", {1, 3}, {1, 1, 1});
    Tap output = tap_of("text.layer.0.moe.expert_out", {1, 3, 1}, outputs);
    for (Tap* tap : {&index, &weight, &output}) {
      inner.after(*tap, true);
    }
    Tap sum = tap_of("text.layer.0.moe.sum", {1, 1}, {at_once + 0x1p-6});
    const Tap got = tap_of("text.layer.0.moe.sum", {1, 1}, {dumped});
    inner.within(sum, &got);
    EXPECT_EQ(sum.values[0], dumped == in_turn ? in_turn : at_once + 0x1p-6);
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
