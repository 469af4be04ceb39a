// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/clipped_linear.h"

#include "reference/family/testing/test_directory.h"
#include "reference/ops/linear.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-6, 1e-14);

// Bounds that random values in (-1, 1) reach on all four sides.
ClippedLinear narrow() {
  return {random_tensor<O, I>({5, 8}, 2), Real(-0.5), Real(0.75), Real(-1.25), Real(0.875)};
}

std::vector<double> clipped(std::vector<double> values, Real lowest, Real highest) {
  for (double& value : values) {
    value = std::min(std::max(value, static_cast<double>(lowest)), static_cast<double>(highest));
  }
  return values;
}

// The formula of the header with any other bounds, in small steps.
std::vector<double> with_bounds(const Tensor<R, I>& x, const Tensor<O, I>& weight, Real input_min,
                                Real input_max, Real output_min, Real output_max) {
  const auto input = clipped(values_of(x), input_min, input_max);
  const auto y = linear(tensor_of<R, I>({x.shape()[0], x.shape()[1]}, input), weight);
  return clipped(values_of(y), output_min, output_max);
}

std::vector<double> right(const Tensor<R, I>& x) {
  const auto w = narrow();
  return with_bounds(x, w.weight, w.input_min, w.input_max, w.output_min, w.output_max);
}

TEST(ClippedLinear, ByHand) {
  const ClippedLinear w{tensor_of<O, I>({2, 2}, {1, 1, 1, -2}), -1, 2, -3, 4};
  const auto x = tensor_of<R, I>({3, 2}, {1, 1, -5, 3, 9, 9});
  // (1, 1) -> (2, -1);  (-1, 2) -> (1, -5);  (2, 2) -> (4, -2)
  EXPECT_EQ(values_of(clipped_linear(x, w)), std::vector<double>({2, -1, 1, -3, 4, -2}));
}

TEST(ClippedLinear, WithoutBoundsIsLinear) {
  const auto x = random_tensor<R, I>({4, 8}, 1);
  const ClippedLinear w{random_tensor<O, I>({5, 8}, 2)};
  EXPECT_EQ(values_of(clipped_linear(x, w)), values_of(linear(x, w.weight)));
}

// The rounding of activations stands between the clamps: 2.5 -> 2 -> 2.25 -> 2.25 -> 2.1875. Before
// the first clamp the input would end as 2, after the last one the output as 2.25.
TEST(ClippedLinear, ActivationsAreRoundedBetweenTheClamps) {
  ClippedLinear w{tensor_of<O, I>({1, 1}, {1}), -1, 2, -3, 2.1875};
  w.activation = {0.75, 0.125};
  EXPECT_EQ(values_of(clipped_linear(tensor_of<R, I>({1, 1}, {2.5}), w)),
            std::vector<double>{2.1875});
}

// V10: bounds taken for calibration data.
TEST(clipped_linear, not_clipped) {
  const auto x = random_tensor<R, I>({6, 8}, 1);
  expect_avoided(values_of(clipped_linear(x, narrow())), right(x),
                 values_of(linear(x, narrow().weight)), kBound);
}

// V11.
TEST(clipped_linear, one_side_only) {
  constexpr Real kInfinity = std::numeric_limits<Real>::infinity();
  const auto x = random_tensor<R, I>({6, 8}, 1);
  const auto w = narrow();
  const auto ours = values_of(clipped_linear(x, w));
  expect_avoided(ours, right(x),
                 with_bounds(x, w.weight, w.input_min, w.input_max, -kInfinity, kInfinity), kBound);
  expect_avoided(ours, right(x),
                 with_bounds(x, w.weight, -kInfinity, kInfinity, w.output_min, w.output_max),
                 kBound);
}

// V12: one bound for both signs, the larger positive one.
TEST(clipped_linear, symmetric_bounds) {
  const auto x = random_tensor<R, I>({6, 8}, 1);
  const auto w = narrow();
  expect_avoided(values_of(clipped_linear(x, w)), right(x),
                 with_bounds(x, w.weight, -w.input_max, w.input_max, -w.output_max, w.output_max),
                 kBound);
}

// V13.
TEST(clipped_linear, input_and_output_exchanged) {
  const auto x = random_tensor<R, I>({6, 8}, 1);
  const auto w = narrow();
  expect_avoided(values_of(clipped_linear(x, w)), right(x),
                 with_bounds(x, w.weight, w.output_min, w.output_max, w.input_min, w.input_max),
                 kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
