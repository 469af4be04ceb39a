// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/floors.h"

#include <gtest/gtest.h>

#include <cmath>

namespace assay::conformance {
namespace {

Errors errors(double rel_l2, double row) {
  Errors e;
  e.count = 1;
  e.sum_truth2 = 1;
  e.sum_e2 = rel_l2 * rel_l2;
  e.worst_row = row;
  return e;
}

TEST(Floors, TheLargestMemberCounts) {
  Floors floors(*find_precision("f32"));
  floors.raise_chained("text.logits", errors(1e-6, 3e-6));
  floors.raise_chained("text.logits", errors(2e-6, 1e-6));
  const TapFloor floor = floors.chained("text.logits");
  EXPECT_DOUBLE_EQ(floor.rel_l2, 2e-6);
  EXPECT_DOUBLE_EQ(floor.row, 3e-6);
  EXPECT_EQ(floor.source, "measured");
}

TEST(Floors, NeverBelowHalfARoundoff) {
  Floors floors(*find_precision("f32"));
  floors.raise_chained("text.logits", errors(0, 0));
  EXPECT_EQ(floors.chained("text.logits").rel_l2, 0x1p-25);
}

TEST(Floors, TwoRunsMayBeApartByBoth) {
  Floors one(*find_precision("f32"));
  Floors other(*find_precision("f32"));
  one.raise_chained("text.logits", errors(1e-6, 3e-6));
  one.raise_chained("text.layer.0.in", errors(0, 0));
  one.raise_chained("text.layer.0.out", errors(1e-6, 1e-6));
  other.raise_chained("text.logits", errors(2e-6, 5e-6));
  other.raise_chained("text.layer.0.in", errors(0, 0));
  const Floors both = one.plus(other);
  EXPECT_DOUBLE_EQ(both.chained("text.logits").rel_l2, 3e-6);
  EXPECT_DOUBLE_EQ(both.chained("text.logits").row, 8e-6);
  EXPECT_DOUBLE_EQ(both.chained("text.layer.0.in").rel_l2, 0x1p-24);  // each half a roundoff
  EXPECT_FALSE(both.chained("text.layer.0.out").known());             // the other has no such tap
}

TEST(Floors, ReplayIsPooledOverLayersChainedIsNot) {
  Floors floors(*find_precision("f32"));
  floors.raise_replay("text.layer.3.out", errors(1e-6, 1e-6));
  EXPECT_DOUBLE_EQ(floors.replay("text.layer.40.out").rel_l2, 1e-6);
  EXPECT_EQ(floors.replay("text.logits").source, "predicted");
  floors.raise_chained("text.layer.3.out", errors(1e-6, 1e-6));
  EXPECT_FALSE(floors.chained("text.layer.4.out").known());
}

// One ill-conditioned layer must not blunt the others of its kind.
TEST(Floors, APoolReachesAFewTimesBeyondALayersOwn) {
  Floors floors(*find_precision("f32"));
  floors.raise_replay("text.layer.0.ple.mul", errors(1e-7, 2e-7));
  floors.raise_replay("text.layer.1.ple.mul", errors(1e-5, 1e-5));
  floors.raise_replay("text.layer.2.ple.mul", errors(5e-6, 5e-6));
  EXPECT_DOUBLE_EQ(floors.replay("text.layer.0.ple.mul").rel_l2, 1e-6);
  EXPECT_DOUBLE_EQ(floors.replay("text.layer.0.ple.mul").row, 2e-6);
  EXPECT_DOUBLE_EQ(floors.replay("text.layer.2.ple.mul").rel_l2, 1e-5);
  EXPECT_DOUBLE_EQ(floors.replay("text.layer.3.ple.mul").rel_l2, 1e-5);  // none of its own
}

TEST(Floors, StoredOnesWin) {
  Golden golden;
  golden.truth.add({"text.logits", {1}, {1}, false});
  golden.floors["text.logits"].floors = {{"floor_chain_f32", 5e-6}, {"floor_row_f32", 7e-6}};
  Floors floors(*find_precision("f32"));
  floors.raise_chained("text.logits", errors(1e-3, 1e-3));
  floors.use_stored(golden);
  EXPECT_DOUBLE_EQ(floors.chained("text.logits").rel_l2, 5e-6);
  EXPECT_DOUBLE_EQ(floors.chained("text.logits").row, 7e-6);
  EXPECT_EQ(floors.chained("text.logits").source, "golden");
  EXPECT_TRUE(Floors::stored_for_all(golden, *find_precision("f32")));
  EXPECT_FALSE(Floors::stored_for_all(golden, *find_precision("bf16")));
}

TEST(Floors, Fp64IsScaledFromFp32) {
  Golden golden;
  golden.floors["text.logits"].floors = {{"floor_chain_f32", 1e-5}};
  Floors floors(*find_precision("f64"));
  floors.use_stored(golden);
  EXPECT_DOUBLE_EQ(floors.chained("text.logits").rel_l2, 1e-5 * 0x1p-29);
  EXPECT_TRUE(std::isnan(floors.chained("text.logits").row));
  floors.raise_replay("text.logits", errors(1e-7, 1e-6));
  EXPECT_DOUBLE_EQ(floors.replay("text.logits").row, 1e-6 * 0x1p-29);
}

TEST(Floors, ATruthWithoutItsLowPartIsOffByItself) {
  Golden golden;
  golden.floors["text.logits"].floors = {{"floor_chain_f32", 1e-5}, {"floor_row_f32", 1e-5}};
  golden.floors["text.logits"].narrowed = true;
  Floors floors(*find_precision("f64"));
  floors.use_stored(golden);
  EXPECT_DOUBLE_EQ(floors.chained("text.logits").rel_l2, 0x1p-25);
  EXPECT_DOUBLE_EQ(floors.chained("text.logits").row, 0x1p-25);
}

}  // namespace
}  // namespace assay::conformance
