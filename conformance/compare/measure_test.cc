// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace assay::conformance {
namespace {

using testing::ElementsAre;

const double kNan = std::nan("");
const double kInf = std::numeric_limits<double>::infinity();

Tap tap(std::vector<std::size_t> shape, std::vector<double> values) {
  return {"text.layer.0.out", std::move(shape), std::move(values), false};
}

TEST(Measure, HandNumbers) {
  const Tap truth = tap({2, 2}, {3, 4, 0, 12});
  const Errors e = measure(truth, std::vector<double>{3, 4.5, 0, 11});
  EXPECT_EQ(e.count, 4u);
  EXPECT_DOUBLE_EQ(e.rel_l2(), std::sqrt(1.25 / 169));
  EXPECT_DOUBLE_EQ(e.max_abs, 1);
  EXPECT_THAT(unravel(e.worst, e.shape), ElementsAre(1, 1));
  EXPECT_EQ(e.got, 11);
  EXPECT_EQ(e.want, 12);
  EXPECT_DOUBLE_EQ(e.worst_row, 0.1);  // 0.5 of 5
  EXPECT_EQ(e.worst_row_at, 0u);
  EXPECT_DOUBLE_EQ(e.sum_e, -0.5);
}

TEST(Measure, IdenticalTensorsAreAtZero) {
  const Tap truth = tap({1, 3}, {0, 0, 0});
  const Errors e = measure(truth, truth.values);
  EXPECT_EQ(e.rel_l2(), 0);
  EXPECT_EQ(e.worst_row, 0);
}

TEST(Measure, CosineKeepsItsDigits) {
  const Tap truth = tap({2}, {1, 1});
  const Errors e = measure(truth, std::vector<double>{1 + 1e-9, 1 - 1e-9});
  EXPECT_NEAR(1 - e.cosine, 0.5e-18, 1e-16);
  EXPECT_NEAR(measure(truth, std::vector<double>{-1, -1}).cosine, -1, 1e-15);
}

TEST(Measure, SpecialValuesAreCountedApart) {
  const Tap truth = tap({4}, {1, 2, 3, kInf});
  const Errors e = measure(truth, std::vector<double>{1, kNan, -kInf, kInf});
  EXPECT_EQ(e.nan, 1u);
  EXPECT_EQ(e.infinite, 1u);
  EXPECT_EQ(e.first_bad, 1u);
  EXPECT_EQ(e.count, 1u);
  EXPECT_EQ(e.rel_l2(), 0);
  EXPECT_EQ(measure(truth, std::vector<double>{1, 2, 3, -kInf}).infinite, 1u);
  EXPECT_EQ(measure(tap({1}, {kNan}), std::vector<double>{kNan}).truth_not_finite, 1u);
}

TEST(Measure, OverflowOfTheClassIsRight) {
  Selection selection;
  selection.largest = 65504;
  const Tap truth = tap({2}, {7e4, 1});
  EXPECT_EQ(measure(truth, std::vector<double>{kInf, 1}, selection).bad(), 0u);
  EXPECT_EQ(measure(truth, std::vector<double>{-kInf, 1}, selection).bad(), 1u);
}

TEST(Measure, DroppedRowsDoNotCount) {
  const Tap truth = tap({3, 2}, {1, 1, 1, 1, 1, 1});
  Selection selection;
  selection.drop_rows(truth, {0, 1, 0});
  const Errors e = measure(truth, std::vector<double>{1, 1, 9, kNan, 1, 1}, selection);
  EXPECT_EQ(e.count, 4u);
  EXPECT_EQ(e.rel_l2(), 0);
  EXPECT_EQ(e.bad(), 0u);
}

TEST(Measure, ARowOfZerosIsMeasuredAgainstTheTensor) {
  const Tap truth = tap({2, 2}, {0, 0, 2, 2});  // rms 2^(1/2)
  const Errors e = measure(truth, std::vector<double>{1e-3, 0, 2, 2});
  EXPECT_NEAR(e.worst_row, 1e-3 / 2, 1e-12);
}

TEST(Measure, SmallRowsOfScoresAreMeasuredAgainstTheTensor) {
  const Tap truth = tap({2, 1}, {1e-6, 1});
  Selection scores;
  scores.rows_by_rms = true;
  const std::vector<double> got = {2e-6, 1};
  EXPECT_NEAR(measure(truth, got, scores).worst_row, 1e-6 * std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(measure(truth, got).worst_row, 1, 1e-9);
}

TEST(Measure, ProbabilitiesLeakAndSum) {
  const Tap truth = tap({1, 1, 3}, {0.5, 0.5, 0});
  Errors e;
  measure_probabilities(truth, std::vector<double>{0.5, 0.4, 0.2}, {}, {}, e);
  EXPECT_EQ(e.leaks, 1u);
  EXPECT_EQ(e.first_leak, 2u);
  EXPECT_NEAR(e.worst_sum, 0.1, 1e-12);
  Errors visible;
  measure_probabilities(truth, std::vector<double>{0.5, 0.5, 1e-9}, {1, 1, 1}, {}, visible);
  EXPECT_EQ(visible.leaks, 0u);
  Errors range;
  measure_probabilities(truth, std::vector<double>{1.5, -0.5, 0}, {}, {}, range);
  EXPECT_DOUBLE_EQ(range.worst_range, 0.5);
}

// Padding that no tap shows has the rest (vision.pad_mask=additive_bool).
TEST(Measure, ProbabilitiesOfAPartHaveNoSum) {
  const Tap truth = tap({1, 1, 2}, {0.25, 0.5});
  Errors e;
  measure_probabilities(truth, std::vector<double>{0.25, 0.375}, {}, {}, e);
  EXPECT_EQ(e.worst_sum, 0);
}

TEST(Measure, WholeNumbers) {
  const Mismatches found =
      measure_equal(tap({4}, {1, 2, 3, 4}), std::vector<double>{1, 2, 5, kNan});
  EXPECT_EQ(found.different, 2u);
  EXPECT_EQ(found.first, 2u);
  EXPECT_EQ(found.got, 5);
}

}  // namespace
}  // namespace assay::conformance
