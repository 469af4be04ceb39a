// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/compare/calibrate.h"
#include "conformance/testing/toy_model.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using toy::Behaviour;
using toy::Model;
using toy::Part;

TapSet dump_of(const Behaviour& behaviour, const Part& part) {
  Model<float> f32(behaviour);
  return toy::dump(f32, part);
}

CaseResult replay_of(const TapSet& dump, const char* precision = "f32") {
  Model<double> f64;
  Model<float> f32;
  CalibrationOptions options;
  options.chained = false;
  const CaseInput input = toy::prompt();
  const Floors floors =
      calibrate(f64, f32, input, toy::names(dump), *find_precision(precision), options);
  return replay(f64, input, dump, floors);
}

CaseResult replay_of(const Behaviour& behaviour, const Part& part) {
  return replay_of(dump_of(behaviour, part));
}

std::vector<Part> parts() {
  return {Part{}, toy::port_taps(), Part{{"in", "out", "text.final_norm", "text.logits"}, {}},
          Part{{}, {"moe.topk_index", "moe.router_logits"}}};
}

TEST(Replay, TheOraclesOwnDumpIsAtZero) {
  Model<double> f64;
  const CaseResult result = replay_of(toy::dump(f64), "f64");
  EXPECT_EQ(result.verdict, Verdict::kPass);
  for (const TapResult& tap : result.taps) {
    EXPECT_TRUE(std::isnan(tap.rel_l2) || tap.rel_l2 == 0) << tap.tap;
  }
}

TEST(Replay, HonestFloatsPassAtAnyGranularity) {
  for (const Part& part : parts()) {
    for (const auto order : {toy::Order::kForward, toy::Order::kReversed, toy::Order::kLanes}) {
      const CaseResult result = replay_of({order, {}, 0}, part);
      EXPECT_EQ(result.verdict, Verdict::kPass);
      EXPECT_THAT(result.introduced_by, IsEmpty());
    }
  }
}

struct Planted {
  const char* mistake;
  const char* tap;          // with all taps
  const char* among_ports;  // with few of them
};

TEST(Replay, EachMistakeIsNamedAtItsTap) {
  const Planted planted[] = {
      {"norm_eps@1", "text.layer.1.attn.norm_in", "text.layer.1.attn.norm_in"},
      {"q_scale@2", "text.layer.2.attn.q_proj", "text.layer.2.attn.q_proj"},
      {"mask_leak@0", "text.layer.0.attn.probs", "text.layer.0.attn.mix"},
      {"heads_swapped@1", "text.layer.1.attn.mix", "text.layer.1.attn.mix"},
      {"no_residual@2", "text.layer.2.attn.residual", "text.layer.2.attn.residual"},
      {"wrong_expert@1", "text.layer.1.moe.topk_index", "text.layer.1.moe.topk_index"},
      {"no_renormalise@0", "text.layer.0.moe.topk_weight", "text.layer.0.moe.topk_weight"},
      {"softcap", "text.logits", "text.logits"},
      {"nan@1", "text.layer.1.out", "text.layer.1.out"},
  };
  for (const Planted& bug : planted) {
    const CaseResult all = replay_of({{}, {bug.mistake}, 0}, {});
    EXPECT_THAT(all.introduced_by, ElementsAre(bug.tap)) << bug.mistake;
    EXPECT_EQ(all.verdict, Verdict::kFail);
    const CaseResult few = replay_of({{}, {bug.mistake}, 0}, toy::port_taps());
    EXPECT_THAT(few.introduced_by, ElementsAre(bug.among_ports)) << bug.mistake;
  }
}

TEST(Replay, TwoFaultsAreBothNamedAndNothingElse) {
  const CaseResult result = replay_of({{}, {"no_renormalise@0", "q_scale@2"}, 0}, toy::port_taps());
  EXPECT_THAT(result.introduced_by,
              ElementsAre("text.layer.0.moe.topk_weight", "text.layer.2.attn.q_proj"));
  const CaseResult four = replay_of({{}, {"softcap", "mask_leak"}, 0}, {});
  EXPECT_THAT(four.introduced_by, ElementsAre("text.layer.0.attn.probs", "text.layer.1.attn.probs",
                                              "text.layer.2.attn.probs", "text.logits"));
  const CaseResult mixed = replay_of({{}, {"norm_eps@1", "nan@1"}, 0}, {});
  EXPECT_THAT(mixed.introduced_by, ElementsAre("text.layer.1.attn.norm_in", "text.layer.1.out"));
}

TEST(Replay, NotANumberIsInheritedFromTheFirst) {
  const CaseResult result = replay_of({{}, {"nan@0"}, 0}, {});
  EXPECT_THAT(result.introduced_by, ElementsAre("text.layer.0.out"));
  EXPECT_THAT(result.inherited, Not(IsEmpty()));
}

TEST(Replay, AWrongWeightAtOnePlaceIsSeen) {
  TapSet dump = dump_of({}, {});
  Tap& tap = *dump.find("text.layer.1.attn.q_proj");
  tap.values[7] *= 1.001;  // its reader follows the right value: two steps are off
  const CaseResult result = replay_of(dump);
  EXPECT_THAT(result.introduced_by,
              ElementsAre("text.layer.1.attn.q_proj", "text.layer.1.attn.scores"));
}

TEST(Replay, AShapeIsAFaultOfItsTapOnly) {
  TapSet dump = dump_of({}, {});
  dump.find("text.layer.1.attn.mix")->shape = {2, toy::kTokens, 8};
  EXPECT_THAT(replay_of(dump).introduced_by, ElementsAre("text.layer.1.attn.mix"));
}

TEST(Replay, NonsenseAmongTheExpertsIsSurvived) {
  for (const double bad : {-1.0, 99.0, 0.5, std::nan("")}) {
    TapSet dump = dump_of({}, toy::port_taps());
    dump.find("text.layer.1.moe.topk_index")->values[3] = bad;
    EXPECT_THAT(replay_of(dump).introduced_by, ElementsAre("text.layer.1.moe.topk_index"));
  }
}

// Experts listed by their index, and no index to tell it.
TEST(Replay, TheOrderOfSlotsIsFreeWithoutTheIndex) {
  TapSet dump = dump_of({}, {{}, {"moe.topk_index"}});
  for (int layer = 0; layer < 3; ++layer) {
    const std::string prefix = "text.layer." + std::to_string(layer) + ".";
    for (const char* leaf : {"moe.topk_weight", "moe.expert_out"}) {
      Tap* tap = dump.find(prefix + leaf);
      const std::size_t width = tap->values.size() / toy::kTokens / 2;
      for (std::size_t row = 0; row < toy::kTokens; row += 2) {
        const auto first = tap->values.begin() + static_cast<std::ptrdiff_t>(2 * row * width);
        std::swap_ranges(first, first + static_cast<std::ptrdiff_t>(width),
                         first + static_cast<std::ptrdiff_t>(width));
      }
    }
  }
  EXPECT_THAT(replay_of(dump).introduced_by, IsEmpty());
  dump.find("text.layer.1.moe.sum")->values[5] += 0.1;
  EXPECT_THAT(replay_of(dump).introduced_by, testing::Contains("text.layer.1.moe.sum"));
}

TEST(Replay, AnExpertTwiceInARowIsTheIndexsFault) {
  TapSet dump = dump_of({}, {});
  std::vector<double>& chosen = dump.find("text.layer.1.moe.topk_index")->values;
  chosen[5] = chosen[4];
  const CaseResult result = replay_of(dump);
  EXPECT_THAT(result.introduced_by, ElementsAre("text.layer.1.moe.topk_index"));
}

TEST(Replay, AWrongMaskIsChargedToTheMask) {
  TapSet dump = dump_of({{}, {"mask_leak"}, 0}, {});
  Tap& mask = *dump.find("text.mask.global");
  for (std::size_t q = 0; q + 1 < toy::kTokens; ++q) {
    mask.values[q * toy::kTokens + q + 1] = 1;
  }
  EXPECT_THAT(replay_of(dump).introduced_by, ElementsAre("text.mask.global"));
}

// Two experts a hair apart: which one is taken is luck, and so is what follows from it.
TEST(Replay, NearTiesAreExcusedWithAndWithoutTheIndex) {
  Model<double> f64;
  TapSet truth = toy::dump(f64);
  const Tap& chosen = truth.at("text.layer.1.moe.topk_index");
  const Tap& scores = truth.at("text.layer.1.moe.router_logits");
  // Move expert 0 to the threshold of some row in which it is not chosen.
  std::size_t row = 0;
  while (chosen.values[2 * row] == 0 || chosen.values[2 * row + 1] == 0) {
    ++row;
  }
  const auto last = static_cast<std::size_t>(chosen.values[2 * row + 1]);
  const double gap = scores.values[6 * row + last] - scores.values[6 * row];
  const CaseInput input = toy::prompt();
  for (const double nudge : {-3e-8, 3e-8}) {
    Model<double> reference(Behaviour{{}, {}, gap * (1 + nudge)});
    Model<float> second(Behaviour{{}, {}, gap * (1 + nudge)});
    Model<float> port(Behaviour{{}, {}, gap * (1 - nudge)});
    for (const Part& part :
         {toy::port_taps(),
          Part{{"in", "moe.router_logits", "moe.topk_weight", "moe.sum", "out"}, {}},
          Part{{"in", "out"}, {}}}) {
      const TapSet dump = toy::dump(port, part);
      CalibrationOptions options;
      options.chained = false;
      const Floors floors =
          calibrate(reference, second, input, toy::names(dump), *find_precision("f32"), options);
      EXPECT_THAT(replay(reference, input, dump, floors).introduced_by, IsEmpty()) << nudge;
    }
  }
}

TEST(Replay, Bf16HasItsOwnFloors) {
  Model<float> f32;
  const TapSet exact = toy::dump(f32, toy::port_taps());
  CollectingListener collect([&](const std::string& name) { return exact.has(name); });
  RoundingListener listener(*find_precision("bf16"), 0, nullptr, {&collect});
  RunOptions options;
  options.rounding = find_precision("bf16")->rounding;
  ASSERT_TRUE(f32.run(toy::prompt(), options, listener).ok());
  EXPECT_EQ(replay_of(collect.taps(), "bf16").verdict, Verdict::kPass);
  EXPECT_EQ(replay_of(collect.taps(), "f32").verdict, Verdict::kFail);
}

TEST(Replay, MandatoryTapsThatAreMissingAreListedNotFailed) {
  const CaseResult result = replay_of({}, toy::port_taps());
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_THAT(result.not_provided,
              testing::Contains(testing::Pair("text.layer.0.attn.probs", "not in the dump")));
}

}  // namespace
}  // namespace assay::conformance
