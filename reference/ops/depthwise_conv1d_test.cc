// SPDX-License-Identifier: Apache-2.0
// Rules RC-17.
#include "reference/ops/depthwise_conv1d.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-6, 1e-15);
constexpr std::size_t kRows = 7;
constexpr std::size_t kWidth = 3;

const auto kInput = random_tensor<T, D>({kRows, kWidth}, 1);
const auto kKernel = random_tensor<D, J>({kWidth, 5}, 2);

std::vector<double> ours() {
  return values_of(depthwise_conv1d(kInput, kKernel));
}

// In double, with `zeros` rows in front and the kernel forwards or backwards.
std::vector<double> from_formula(std::size_t zeros, bool reversed) {
  std::vector<double> y;
  for (std::size_t t = 0; t < kRows; ++t) {
    for (std::size_t d = 0; d < kWidth; ++d) {
      double sum = 0;
      for (std::size_t j = 0; j < 5; ++j) {
        const std::size_t row = t + j - zeros;  // wraps below 0
        const double weight = static_cast<double>(kKernel(d, reversed ? 4 - j : j));
        sum += row < kRows ? weight * static_cast<double>(kInput(row, d)) : 0.0;
      }
      y.push_back(sum);
    }
  }
  return y;
}

TEST(DepthwiseConv1d, ByHand) {  // the last weight meets the row itself
  const auto x = tensor_of<T, D>({3, 2}, {1, 10, 2, 20, 3, 30});
  const auto weight = tensor_of<D, J>({2, 2}, {5, 7, 0, 1});
  expect_near(values_of(depthwise_conv1d(x, weight)), {7, 10, 19, 20, 31, 30}, 0);
}

TEST(DepthwiseConv1d, FiveTaps) {
  expect_near(ours(), from_formula(4, false), kBound);
}

TEST(DepthwiseConv1d, OneRowMeetsTheLastWeight) {
  const auto x = tensor_of<T, D>({1, 1}, {2});
  expect_near(values_of(depthwise_conv1d(x, tensor_of<D, J>({1, 5}, {9, 9, 9, 9, 3}))), {6}, 0);
}

TEST(DepthwiseConv1d, RefusesAnotherWidth) {
  EXPECT_EQ(error_of([] {
              depthwise_conv1d(kInput, make_tensor<D, J>({2, 5}));
            }),
            "depthwise_conv1d: weight: got shape [2, 5], expected [3, 5]");
}

// C46
TEST(depthwise_conv1d, kernel_reversed) {
  expect_avoided(ours(), from_formula(4, false), from_formula(4, true), kBound);
}

// C47
TEST(depthwise_conv1d, centred) {
  expect_avoided(ours(), from_formula(4, false), from_formula(2, false), kBound);
}

// C47
TEST(depthwise_conv1d, anti_causal) {
  expect_avoided(ours(), from_formula(4, false), from_formula(0, false), kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
