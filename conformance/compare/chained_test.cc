// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/chained.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/compare/calibrate.h"
#include "conformance/testing/toy_model.h"

namespace assay::conformance {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using toy::Behaviour;
using toy::Model;

Golden truth(const Behaviour& behaviour = {}) {
  Model<double> f64(behaviour);
  Golden golden = golden_from_run(f64, toy::prompt(), {});
  golden.case_name = "toy";
  return golden;
}

// A shared set of floors for all taps; calibrating takes a while.
const Floors& floors(const char* precision) {
  static std::map<std::string, Floors> known;
  if (!known.contains(precision)) {
    Model<double> f64;
    Model<float> f32;
    const auto taps = toy::names(toy::dump(f32));
    known.emplace(precision, calibrate(f64, f32, toy::prompt(), taps, *find_precision(precision)));
  }
  return known.at(precision);
}

const TapResult& tap_of(const CaseResult& result, const std::string& name) {
  for (const TapResult& tap : result.taps) {
    if (tap.tap == name) {
      return tap;
    }
  }
  throw std::runtime_error("no result for " + name);
}

TapSet dump_of(const Behaviour& behaviour, const toy::Part& part = {}) {
  Model<float> f32(behaviour);
  return toy::dump(f32, part);
}

// `dump` with one tap changed.
TapSet with(TapSet dump, const std::string& tap, const std::function<void(Tap&)>& change) {
  change(*dump.find(tap));
  return dump;
}

TEST(Chained, HonestFloatsPassInAnyOrderOfSummation) {
  for (const auto order : {toy::Order::kForward, toy::Order::kReversed, toy::Order::kLanes}) {
    const CaseResult result = compare_chained(truth(), dump_of({order, {}, 0}), floors("f32"));
    EXPECT_EQ(result.verdict, Verdict::kPass);
    EXPECT_EQ(result.mode, Mode::kChained);
    EXPECT_GT(result.taps.size(), 50u);
  }
}

TEST(Chained, DoublePassesAsF64AndFloatDoesNot) {
  Model<double> f64({toy::Order::kReversed, {}, 0});
  EXPECT_EQ(compare_chained(truth(), toy::dump(f64), floors("f64")).verdict, Verdict::kPass);
  EXPECT_EQ(compare_chained(truth(), dump_of({}), floors("f64")).verdict, Verdict::kFail);
}

TEST(Chained, MistakesFail) {
  for (const char* mistake : {"norm_eps@1", "q_scale@1", "heads_swapped@2", "wrong_expert@0",
                              "no_residual@1", "softcap", "mask_leak@0"}) {
    const CaseResult result = compare_chained(truth(), dump_of({{}, {mistake}, 0}), floors("f32"));
    EXPECT_EQ(result.verdict, Verdict::kFail) << mistake;
  }
}

TEST(Chained, ASpecialValueHasItsCode) {
  const CaseResult result = compare_chained(truth(), dump_of({{}, {"nan@1"}, 0}), floors("f32"));
  const TapResult& tap = tap_of(result, "text.layer.1.out");
  EXPECT_EQ(tap.code, "NAN");
  EXPECT_EQ(tap.where, (std::vector<std::size_t>{3, 2}));
  EXPECT_EQ(tap_of(result, "text.layer.1.ffn.residual").verdict, Verdict::kPass);
}

TEST(Chained, AShapeIsForgivenOrNamed) {
  const TapSet flat = with(dump_of({}), "text.layer.0.attn.mix", [](Tap& tap) {
    tap.shape = {1, toy::kTokens, 16};
  });
  EXPECT_EQ(compare_chained(truth(), flat, floors("f32")).verdict, Verdict::kPass);
  const TapSet permuted = with(dump_of({}), "text.layer.0.attn.probs", [](Tap& tap) {
    tap.shape = {1, 2, toy::kTokens, toy::kTokens};
  });
  const CaseResult result = compare_chained(truth(), permuted, floors("f32"));
  const TapResult& tap = tap_of(result, "text.layer.0.attn.probs");
  EXPECT_EQ(tap.code, "SHAPE");
  EXPECT_THAT(tap.note, HasSubstr("permuted: [1, 2, 12, 12] where [12, 2, 12]"));
}

TEST(Chained, HiddenScoresSayNothingVisibleOnesDo) {
  const std::string name = "text.layer.0.attn.scores";
  const auto future = [](Tap& tap) {  // keys after the query
    tap.values[5] = -HUGE_VAL;
    tap.values[6] = 123;
  };
  EXPECT_EQ(compare_chained(truth(), with(dump_of({}), name, future), floors("f32")).verdict,
            Verdict::kPass);
  const auto past = [](Tap& tap) { tap.values[0] += 1; };
  const CaseResult result = compare_chained(truth(), with(dump_of({}), name, past), floors("f32"));
  EXPECT_EQ(tap_of(result, name).code, "TOL");
}

TEST(Chained, ScoresAreJudgedByTheMaskWhereProbabilitiesAreUnknown) {
  Golden golden = truth();
  TapSet kept;
  for (const Tap& tap : golden.truth) {
    if (!tap.name.ends_with("probs")) {
      kept.add(tap);
    }
  }
  golden.truth = std::move(kept);
  const std::string name = "text.layer.0.attn.scores";
  const auto past = [](Tap& tap) { tap.values[0] += 1; };
  const CaseResult result = compare_chained(golden, with(dump_of({}), name, past), floors("f32"));
  EXPECT_EQ(tap_of(result, name).code, "TOL");
}

TEST(Chained, ALeakIsNamedAsSuch) {
  const CaseResult result =
      compare_chained(truth(), dump_of({{}, {"mask_leak@1"}, 0}), floors("f32"));
  EXPECT_EQ(tap_of(result, "text.layer.1.attn.probs").code, "MASK_LEAK");
}

TEST(Chained, TheOrderOfExpertsIsFree) {
  TapSet dump = dump_of({});
  for (const char* leaf : {"moe.topk_index", "moe.topk_weight"}) {
    Tap& tap = *dump.find(std::string("text.layer.1.") + leaf);
    for (std::size_t i = 0; i < tap.values.size(); i += 2) {
      std::swap(tap.values[i], tap.values[i + 1]);
    }
  }
  Tap& out = *dump.find("text.layer.1.moe.expert_out");
  for (std::size_t row = 0; row < toy::kTokens; ++row) {
    std::swap_ranges(out.values.begin() + static_cast<long>(row * 32),
                     out.values.begin() + static_cast<long>(row * 32 + 16),
                     out.values.begin() + static_cast<long>(row * 32 + 16));
  }
  EXPECT_EQ(compare_chained(truth(), dump, floors("f32")).verdict, Verdict::kPass);
}

// A near-tie that went the other way: excused, and what follows is reported only.
TEST(Chained, ANearTieConditionsWhatFollows) {
  Golden golden = truth();
  Tap& scores = *golden.truth.find("text.layer.1.moe.router_logits");
  const Tap& chosen = golden.truth.at("text.layer.1.moe.topk_index");
  const auto second = static_cast<std::size_t>(chosen.values[1]);
  std::size_t third = 0;
  for (std::size_t e = 0; e < 6; ++e) {
    const bool taken = e == second || static_cast<double>(e) == chosen.values[0];
    if (!taken && (third == second || scores.values[e] > scores.values[third] ||
                   third == static_cast<std::size_t>(chosen.values[0]))) {
      third = e;
    }
  }
  TapSet dump = dump_of({});
  scores.values[third] = scores.values[second] * (1 - 1e-9);
  dump.find("text.layer.1.moe.router_logits")->values[third] = scores.values[third];
  dump.find("text.layer.1.moe.topk_index")->values[1] = static_cast<double>(third);
  Tap& sum = *dump.find("text.layer.1.moe.sum");
  sum.values[0] += 0.1;  // row 0 has the other expert
  const CaseResult result = compare_chained(golden, dump, floors("f32"));
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_THAT(tap_of(result, "text.layer.1.moe.topk_index").note, HasSubstr("near-ties"));
  EXPECT_THAT(tap_of(result, sum.name).note, HasSubstr("1 rows are conditioned on the near-tie"));
  // All rows see row 0 from the next layer on; in its own layer the others are judged.
  EXPECT_EQ(tap_of(result, "text.logits").verdict, Verdict::kNotTested);
  sum.values[sum.values.size() - 1] += 0.1;
  EXPECT_EQ(tap_of(compare_chained(golden, dump, floors("f32")), sum.name).verdict, Verdict::kFail);
}

// Rows before an open choice are as good as ever.
TEST(Chained, RowsBeforeAnUnseenNearTieAreJudged) {
  Golden golden = truth();
  Tap& scores = *golden.truth.find("text.layer.0.moe.router_logits");
  const Tap& chosen = golden.truth.at("text.layer.0.moe.topk_index");
  const std::size_t row = 7;
  std::size_t out = 0;
  while (chosen.values[2 * row] == static_cast<double>(out) ||
         chosen.values[2 * row + 1] == static_cast<double>(out)) {
    ++out;
  }
  const double chosen_score =
      std::min(scores.values[6 * row + static_cast<std::size_t>(chosen.values[2 * row])],
               scores.values[6 * row + static_cast<std::size_t>(chosen.values[2 * row + 1])]);
  scores.values[6 * row + out] = chosen_score * (1 - 1e-9);
  TapSet dump = dump_of({}, {{"text.logits"}, {}});
  Tap& logits = *dump.find("text.logits");
  const std::size_t width = logits.values.size() / toy::kTokens;
  for (std::size_t i = row * width; i < logits.values.size(); ++i) {
    logits.values[i] = 0;
  }
  const CaseResult honest = compare_chained(golden, dump, floors("f32"));
  EXPECT_EQ(tap_of(honest, "text.logits").verdict, Verdict::kPass);
  EXPECT_THAT(tap_of(honest, "text.logits").note, HasSubstr("5 rows are conditioned"));
  logits.values[row * width - 1] = 0;
  EXPECT_EQ(compare_chained(golden, dump, floors("f32")).verdict, Verdict::kFail);
}

// A golden that keeps outputs alone: rows that chose otherwise are told from the truth's choices.
TEST(Chained, AChoiceThatTheGoldenDoesNotKeepConditionsWhatFollows) {
  const Golden whole = truth();
  Golden small = whole;
  small.truth = {};
  small.truth.add(whole.truth.at("text.layer.0.out"));
  TapSet choices;
  choices.add(whole.truth.at("text.layer.0.moe.topk_index"));
  const std::size_t row = 7;
  TapSet dump = dump_of({}, {{"moe.topk_index", "out"}, {}});
  Tap& chosen = *dump.find("text.layer.0.moe.topk_index");
  while (chosen.values[2 * row] == choices.at(chosen.name).values[2 * row] ||
         chosen.values[2 * row] == choices.at(chosen.name).values[2 * row + 1]) {
    chosen.values[2 * row] = static_cast<double>(static_cast<int>(chosen.values[2 * row] + 1) % 6);
  }
  Tap& out = *dump.find("text.layer.0.out");
  const std::size_t width = out.values.size() / toy::kTokens;
  out.values[row * width] += 1;
  const auto judged = [&](const TapSet& of_truth) {
    return compare_chained(small, dump, floors("f32"), true, of_truth);
  };
  EXPECT_EQ(tap_of(judged({}), out.name).verdict, Verdict::kFail);
  EXPECT_EQ(tap_of(judged(choices), out.name).verdict, Verdict::kPass);
  EXPECT_THAT(tap_of(judged(choices), out.name).note, HasSubstr("1 rows are conditioned"));
  // The same where it keeps the choice and not the scores.
  small.truth.add(choices.at(chosen.name));
  EXPECT_EQ(tap_of(judged({}), chosen.name).verdict, Verdict::kFail);
  EXPECT_EQ(tap_of(judged(choices), chosen.name).verdict, Verdict::kWarning);
  EXPECT_EQ(tap_of(judged(choices), out.name).verdict, Verdict::kPass);
  out.values[(row - 1) * width] += 1;  // this row chose as the truth did
  EXPECT_EQ(tap_of(judged(choices), out.name).verdict, Verdict::kFail);
}

TEST(Chained, SixteenBitsInformExceptAtTheLogits) {
  TapSet dump = dump_of({});
  for (double& value : dump.find("text.layer.1.out")->values) {
    value *= 3;
  }
  const CaseResult soft = compare_chained(truth(), dump, floors("bf16"));
  EXPECT_EQ(soft.verdict, Verdict::kWarning);
  EXPECT_THAT(tap_of(soft, "text.layer.1.out").note, HasSubstr("informative"));
  for (double& value : dump.find("text.logits")->values) {
    value *= 3;
  }
  EXPECT_EQ(compare_chained(truth(), dump, floors("bf16")).verdict, Verdict::kFail);
}

TEST(Chained, WhatIsMissingOrUnknownIsListed) {
  TapSet dump = dump_of({}, toy::port_taps());
  dump.add({"my.own.tap", {1}, {1}, false});
  dump.add({"text.layer.0.ffn.down", {1}, {1}, false});
  Golden golden = truth();
  golden.not_provided["text.layer.{i}.ffn.down"] = "the toy has no such layer";
  const CaseResult result = compare_chained(golden, dump, floors("f32"));
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_THAT(result.not_provided, Contains(Pair("my.own.tap", "no tap of the catalogue")));
  EXPECT_THAT(result.not_provided,
              Contains(Pair("text.layer.0.ffn.down", "the toy has no such layer")));
  EXPECT_THAT(result.not_provided, Contains(Pair("text.layer.0.attn.probs", "not in the dump")));
}

TEST(Chained, ADumpOfNothingIsNotTested) {
  EXPECT_EQ(compare_chained(truth(), {}, floors("f32")).verdict, Verdict::kNotTested);
}

}  // namespace
}  // namespace assay::conformance
