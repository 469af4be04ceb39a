// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/layer_norm.h"

#include <functional>

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(2e-6, 1e-14);
constexpr double kEps = 1e-5;

struct Sample {
  Tensor<R, D> x = random_tensor<R, D>({3, 8}, 1);
  Tensor<D> weight = random_tensor<D>({8}, 2);
  Tensor<D> bias = random_tensor<D>({8}, 3);
};

// The formula of the header; `denominator` makes the root's content of sum of squares and D.
using Denominator = std::function<double(double sum_of_squares, double count)>;

std::vector<double> by_hand(const Sample& s, bool centred, const Denominator& denominator) {
  std::vector<double> y;
  for (std::size_t r = 0; r < s.x.shape()[0]; ++r) {
    const std::size_t width = s.x.shape()[1];
    const auto count = static_cast<double>(width);
    double mean = 0;
    for (std::size_t d = 0; d < width; ++d) {
      mean += centred ? static_cast<double>(s.x(r, d)) / count : 0;
    }
    double squares = 0;
    for (std::size_t d = 0; d < width; ++d) {
      squares += std::pow(static_cast<double>(s.x(r, d)) - mean, 2);
    }
    for (std::size_t d = 0; d < width; ++d) {
      const double unit = (static_cast<double>(s.x(r, d)) - mean) / denominator(squares, count);
      y.push_back(static_cast<double>(s.weight(d)) * unit + static_cast<double>(s.bias(d)));
    }
  }
  return y;
}

Denominator root_with(double eps) {
  return [eps](double squares, double count) { return std::sqrt(squares / count + eps); };
}

std::vector<double> ours(const Sample& s) {
  return values_of(layer_norm(s.x, s.weight, s.bias, kEps));
}

// Mean 2, variance 4: (0, 4) -> (-1, 1).
TEST(LayerNorm, ByHand) {
  const auto x = tensor_of<R, D>({1, 2}, {0, 4});
  const auto weight = tensor_of<D>({2}, {3, 5});
  EXPECT_EQ(values_of(layer_norm(x, weight, 0)), std::vector<double>({-3, 5}));
  const auto bias = tensor_of<D>({2}, {10, 20});
  EXPECT_EQ(values_of(layer_norm(x, weight, bias, 0)), std::vector<double>({7, 25}));
}

TEST(LayerNorm, AFlatRowIsTheBias) {
  const auto x = tensor_of<R, D>({1, 3}, {0.5, 0.5, 0.5});
  const auto weight = tensor_of<D>({3}, {1, 2, 3});
  EXPECT_EQ(values_of(layer_norm(x, weight, weight, kEps)), std::vector<double>({1, 2, 3}));
}

TEST(LayerNorm, IsTheFormula) {
  const Sample s;
  expect_near(ours(s), by_hand(s, true, root_with(kEps)), kBound);
}

TEST(LayerNorm, RefusesWidthsThatDoNotFit) {
  const Sample s;
  EXPECT_EQ(error_of([&] { layer_norm(s.x, make_tensor<D>({7}), kEps); }),
            "layer_norm: weight: got shape [7], expected [8]");
  EXPECT_EQ(error_of([&] { layer_norm(s.x, s.weight, make_tensor<D>({9}), kEps); }),
            "layer_norm: bias: got shape [9], expected [8]");
}

// V59, DIV-M20: the config's 1e-6 is the RMS norm's. Seen where a patch is nearly flat.
TEST(layer_norm, eps_of_the_config) {
  Sample s;
  s.x *= Real(0x1p-7);
  expect_avoided(ours(s), by_hand(s, true, root_with(kEps)), by_hand(s, true, root_with(1e-6)),
                 bound_of(2e-5, 1e-12));
}

TEST(layer_norm, rms_norm_instead) {
  const Sample s;
  expect_avoided(ours(s), by_hand(s, true, root_with(kEps)), by_hand(s, false, root_with(kEps)),
                 kBound);
}

TEST(layer_norm, unbiased_variance) {
  const Sample s;
  expect_avoided(
      ours(s), by_hand(s, true, root_with(kEps)),
      by_hand(s, true,
              [](double squares, double count) { return std::sqrt(squares / (count - 1) + kEps); }),
      kBound);
}

TEST(layer_norm, eps_outside_the_root) {
  Sample s;
  s.x *= Real(0x1p-7);
  expect_avoided(
      ours(s), by_hand(s, true, root_with(kEps)),
      by_hand(s, true,
              [](double squares, double count) { return std::sqrt(squares / count) + kEps; }),
      bound_of(2e-5, 1e-12));
}

// A nearly flat patch, 6912 values around 0.7 that deviate by 0.001: one plain sum would be off by
// more than a hundredth of a deviation in fp32.
TEST(LayerNorm, ANearlyFlatPatchKeepsItsDeviations) {
  constexpr std::size_t kWidth = 6912;
  const auto noise = random_tensor<R, D>({1, kWidth}, 4);
  Sample s{make_tensor<R, D>({1, kWidth}), make_tensor<D>({kWidth}), make_tensor<D>({kWidth})};
  for (std::size_t d = 0; d < kWidth; ++d) {
    s.x(0, d) = Real(0.7) + Real(0.001) * noise(0, d);
    s.weight(d) = 1;
  }
  const auto want = by_hand(s, true, root_with(kEps));
  const auto got = ours(s);
  double worst = 0;
  for (std::size_t d = 0; d < kWidth; ++d) {
    worst = std::max(worst, std::abs(got[d] - want[d]));
  }
  EXPECT_LT(worst, sizeof(Real) == sizeof(float) ? 2e-4 : 1e-11);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
