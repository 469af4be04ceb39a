// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/calibrate.h"

#include <gtest/gtest.h>

#include "conformance/compare/chained.h"
#include "conformance/compare/harness.h"
#include "conformance/testing/toy_model.h"

namespace assay::conformance {
namespace {

using toy::Model;

const char* const kMix = "text.layer.1.attn.mix";

Floors floors_for(const char* precision, const toy::Part& part,
                  const CalibrationOptions& options = {}) {
  Model<double> f64;
  Model<float> f32;
  const auto taps = toy::names(toy::dump(f32, part));
  return calibrate(f64, f32, toy::prompt(), taps, *find_precision(precision), options);
}

TEST(Calibrate, FloorsHaveTheSizeOfTheClass) {
  const toy::Part all;
  const Floors f32 = floors_for("f32", all);
  EXPECT_GT(f32.chained("text.logits").rel_l2, 5e-8);
  EXPECT_LT(f32.chained("text.logits").rel_l2, 2e-5);
  EXPECT_LT(f32.replay("text.logits").rel_l2, 5e-7);
  const Floors bf16 = floors_for("bf16", all);
  EXPECT_GT(bf16.replay("text.logits").rel_l2, 1e-3);
  EXPECT_LT(bf16.replay("text.logits").rel_l2, 2e-2);
  EXPECT_GT(bf16.chained("text.logits").rel_l2, 2e-3);
  const Floors f16 = floors_for("f16", all);
  EXPECT_LT(f16.replay("text.logits").rel_l2, 1e-3);
  EXPECT_GT(f16.replay("text.logits").rel_l2, 1e-4);
  const Floors f64 = floors_for("f64", all);
  EXPECT_LT(f64.chained("text.logits").rel_l2, 1e-13);
}

TEST(Calibrate, IsTheSameEachTime) {
  const Floors a = floors_for("f32", toy::port_taps());
  const Floors b = floors_for("f32", toy::port_taps());
  EXPECT_EQ(a.chained("text.logits").rel_l2, b.chained("text.logits").rel_l2);
  EXPECT_EQ(a.replay(kMix).row, b.replay(kMix).row);
}

TEST(Calibrate, CoarserDumpsHaveLargerSteps) {
  const double fine = floors_for("f32", {}).replay("text.logits").rel_l2;
  const double coarse = floors_for("f32", {{"text.logits"}, {}}).replay("text.logits").rel_l2;
  EXPECT_GT(coarse, 2 * fine);
}

TEST(Calibrate, ChainedFloorsNeedTheNoise) {
  CalibrationOptions few;
  few.noise_members = 1;
  const double one = floors_for("f32", {}, few).chained("text.logits").rel_l2;
  EXPECT_GE(floors_for("f32", {}).chained("text.logits").rel_l2, one);
}

TEST(Calibrate, LeavesOutWhatIsNotAskedFor) {
  CalibrationOptions options;
  options.chained = false;
  const Floors replay_only = floors_for("f32", {}, options);
  EXPECT_FALSE(replay_only.chained("text.logits").known());
  EXPECT_EQ(replay_only.replay("text.logits").source, "measured");
  options = {};
  options.replay = false;
  const Floors chained_only = floors_for("f32", {}, options);
  EXPECT_TRUE(chained_only.chained("text.logits").known());
  EXPECT_EQ(chained_only.replay("text.logits").source, "predicted");
}

// The scores of a choice have a floor even when the dump lacks them.
TEST(Calibrate, WatchesScores) {
  const Floors floors = floors_for("f32", {{"out", "text.logits"}, {}});
  EXPECT_EQ(floors.replay("text.layer.1.moe.router_logits").source, "measured");
  EXPECT_TRUE(floors.chained("text.layer.1.moe.router_logits").known());
}

}  // namespace
}  // namespace assay::conformance
