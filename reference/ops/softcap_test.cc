// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/softcap.h"

#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(6e-6, 1e-14);

std::vector<double> ours(const std::vector<double>& x, double cap) {
  return values_of(softcap(tensor_of<R, V>({1, x.size()}, x), cap));
}

std::vector<double> right(const std::vector<double>& x, double cap) {
  std::vector<double> y;
  for (const double value : x) {
    y.push_back(cap * std::tanh(value / cap));
  }
  return y;
}

TEST(Softcap, ByHand) {  // tanh(1) = 0.761594155955765
  expect_near(ours({0, 2, -2}, 2), {0, 1.52318831191153, -1.52318831191153}, kBound);
}

// The audio encoder's attention: the same function of every element.
TEST(Softcap, OfAttentionLogits) {
  const std::vector<double> x = {-60, -1, 0, 2, 20, 45};
  const auto y = softcap(tensor_of<T, N, S>({1, 2, 3}, x), 50);
  expect_near(values_of(y), right(x, 50), kBound);
}

// greedy choices survive the cap wherever two neighbours stay apart.
TEST(Softcap, KeepsTheOrder) {
  std::vector<double> x;
  for (double value = -60; value <= 60; value += 0.25) {
    x.push_back(value);
  }
  const auto y = ours(x, 30);
  for (std::size_t i = 1; i < y.size(); ++i) {
    EXPECT_LT(y[i - 1], y[i]) << "at " << x[i];
  }
}

// Saturation makes ties but never passes the cap.
TEST(Softcap, NeverPassesTheCap) {
  for (const double y : ours({200, 270, 500, 1e4, 1e30, -270, -1e30}, 30)) {
    EXPECT_LE(std::abs(y), 30);
  }
  EXPECT_EQ(ours({1e4}, 30), std::vector<double>({30}));
  if (!kIsDouble) {
    EXPECT_EQ(ours({275}, 30), ours({280}, 30));
  }
}

// neighbours become equal long before they are 30. 0x1p-17 is the spacing of floats at 100.
TEST(Softcap, MakesTiesLongBeforeTheCap) {
  const auto y = ours({100, 100 + 0x1p-17}, 30);
  EXPECT_LT(y[1], 29.95);
  EXPECT_EQ(y[0] == y[1], !kIsDouble);
}

// M-131: Gemma 2 caps attention at 50.
TEST(softcap, cap_of_50) {
  const std::vector<double> x = {-45, 1, 10, 60};
  expect_avoided(ours(x, 30), right(x, 30), right(x, 50), kBound);
}

TEST(softcap, clipped) {
  const std::vector<double> x = {-45, 1, 10, 60};
  expect_avoided(ours(x, 30), right(x, 30), {-30, 1, 10, 30}, kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
