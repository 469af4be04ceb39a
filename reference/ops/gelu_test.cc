// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/gelu.h"

#include <numbers>

#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(4e-7, 1e-15);  // f32: 1 + tanh cancels at -5

std::vector<double> ours(const std::vector<double>& x) {
  return values_of(gelu(tensor_of<R, F>({1, x.size()}, x)));
}

// R-05, written once more.
double right(double x) {
  const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1 + std::tanh(inner));
}

template <class Function>
std::vector<double> mapped(const std::vector<double>& x, const Function& function) {
  std::vector<double> y(x.size());
  std::transform(x.begin(), x.end(), y.begin(), function);
  return y;
}

TEST(Gelu, ByHand) {
  expect_near(ours({0, 1}), {0, 0.841191990608276}, kBound);
}

// gelu(x) - gelu(-x) = x
TEST(Gelu, TwoSidesDifferByX) {
  for (const double x : {0.25, 1.0, 2.5, 7.0}) {
    const auto y = ours({x, -x});
    EXPECT_NEAR(y[0] - y[1], x, kBound);
  }
}

TEST(Gelu, FarOutItIsXOrNothing) {
  EXPECT_EQ(ours({100, -100, 1e15, -1e15}),
            std::vector<double>({100, -0.0, static_cast<double>(Real(1e15)), -0.0}));
}

// ggml's table: f16 of the value at f16(x), x itself from 10 on and 0 up to -10.
TEST(Gelu, FromATableItHasElevenBits) {
  const auto looked_up = [](const std::vector<double>& x) {
    return values_of(gelu(tensor_of<R, F>({1, x.size()}, x), GeluForm::kF16Table));
  };
  EXPECT_EQ(looked_up({10.5, -10.5, 0}), (std::vector<double>{10.5, 0, 0}));
  EXPECT_EQ(looked_up({1}), std::vector<double>{0.84130859375});  // 0.841192 to 2^-11
  EXPECT_EQ(looked_up({1 + 0x1p-12}), looked_up({1}));
  EXPECT_NE(looked_up({1}), ours({1}));
  const auto x = tensor_of<R, F>({1, 2}, {1, -1});
  EXPECT_EQ(values_of(gelu(x, GeluForm::kExact)), values_of(gelu(x)));
}

// M-101
TEST(gelu, erf) {
  const std::vector<double> x = {-2.7, -1, 0.5, 2.7};
  const auto erf = [](double v) { return 0.5 * v * (1 + std::erf(v / std::numbers::sqrt2)); };
  expect_avoided(ours(x), mapped(x, right), mapped(x, erf), kBound);
}

// M-102
TEST(gelu, silu) {
  const std::vector<double> x = {-2.7, -1, 0.5, 2.7};
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  expect_avoided(ours(x), mapped(x, right), mapped(x, silu), kBound);
}

// x * sigmoid(1.702 x), the cheap form
TEST(gelu, sigmoid) {
  const std::vector<double> x = {-2.7, -1, 0.5, 2.7};
  const auto quick = [](double v) { return v / (1 + std::exp(-1.702 * v)); };
  expect_avoided(ours(x), mapped(x, right), mapped(x, quick), kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
