// SPDX-License-Identifier: Apache-2.0
// Spec.
#include "reference/ops/rms_norm.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-6, 1e-14);

using Row = std::vector<double>;

double mean_square(const Row& x) {
  double sum = 0;
  for (const double value : x) {
    sum += value * value;
  }
  return sum / static_cast<double>(x.size());
}

// R-03, written once more; `added` is added to the scale, `root` maps the mean square.
template <class Root>
Row normed(const Row& x, const Row& scale, double added, const Root& root) {
  Row y;
  for (std::size_t d = 0; d < x.size(); ++d) {
    y.push_back(x[d] / root(mean_square(x)) * (scale[d] + added));
  }
  return y;
}

Row right(const Row& x, const Row& scale, double eps = 1e-6) {
  return normed(x, scale, 0, [eps](double ms) { return std::sqrt(ms + eps); });
}

Row ours(const Row& x, const Row& scale, double eps = 1e-6) {
  return values_of(
      rms_norm(tensor_of<R, D>({1, x.size()}, x), tensor_of<D>({x.size()}, scale), eps));
}

// (9 + 16) / 2 + 12.5 = 25
TEST(RmsNorm, ByHand) {
  const auto x = tensor_of<R, D>({1, 2}, {3, 4});
  expect_near(values_of(rms_norm(x, tensor_of<D>({2}, {2, -1}), 12.5)), {1.2, -0.8}, kBound);
  expect_near(values_of(rms_norm_unscaled(x, 12.5)), {0.6, 0.8}, kBound);
}

TEST(RmsNorm, EachRowByItself) {
  const auto x = tensor_of<R, D>({2, 2}, {3, 4, 300, 400});
  const auto y = rms_norm_unscaled(x, 0);
  const double root = std::sqrt(12.5);
  expect_near(values_of(y), {3 / root, 4 / root, 3 / root, 4 / root}, kBound);
}

TEST(RmsNorm, EachHeadByItselfWithOneScale) {
  const auto x = tensor_of<T, N, H>({1, 2, 2}, {3, 4, 0.3, 0.4});
  const double root = std::sqrt(12.5);
  expect_near(values_of(rms_norm_heads(x, tensor_of<H>({2}, {2, -1}), 0)),
              {6 / root, -4 / root, 6 / root, -4 / root}, kBound);
  expect_near(values_of(rms_norm_heads_unscaled(x, 0)), {3 / root, 4 / root, 3 / root, 4 / root},
              kBound);
}

TEST(RmsNorm, ARowOfZerosStaysZero) {
  EXPECT_EQ(ours({0, 0, 0}, {1, 2, 3}), Row({0, 0, 0}));
}

TEST(RmsNorm, NoRowsNoValues) {
  EXPECT_EQ(rms_norm_unscaled(make_tensor<R, D>({0, 4}), 1e-6).size(), 0u);
}

TEST(RmsNorm, RefusesAScaleOfAnotherWidth) {
  const auto x = make_tensor<R, D>({2, 4});
  EXPECT_EQ(error_of([&] { rms_norm(x, make_tensor<D>({3}), 1e-6); }),
            "rms_norm: scale: got shape [3], expected [4]");
  EXPECT_THROW(rms_norm_heads(make_tensor<T, N, H>({2, 2, 4}), make_tensor<H>({8}), 1e-6), Error);
}

// M-01: what Gemma 1 to 3 do.
TEST(rms_norm, one_plus_scale) {
  const Row x = {1, -2, 3, 0.5};
  const Row scale = {1, 0.5, 2, -1};
  const auto wrong = normed(x, scale, 1, [](double ms) { return std::sqrt(ms + 1e-6); });
  expect_avoided(ours(x, scale), right(x, scale), wrong, kBound);
}

// M-02: only a small row tells.
TEST(rms_norm, epsilon_outside_root) {
  const Row x = {1e-3, -2e-3, 5e-4, 0};
  const Row scale = {1, 1, 1, 1};
  const auto wrong = normed(x, scale, 0, [](double ms) { return std::sqrt(ms) + 1e-6; });
  expect_avoided(ours(x, scale), right(x, scale), wrong, kBound);
}

// M-03
TEST(rms_norm, epsilon_of_others) {
  const Row x = {1e-3, -2e-3, 5e-4, 0};
  const Row scale = {1, 1, 1, 1};
  expect_avoided(ours(x, scale), right(x, scale), right(x, scale, 1e-5), kBound);
}

TEST(rms_norm, sum_instead_of_mean) {
  const Row x = {1, -2, 3, 0.5};
  const Row scale = {1, 0.5, 2, -1};
  const auto wrong = normed(x, scale, 0, [](double ms) { return std::sqrt(4 * ms + 1e-6); });
  expect_avoided(ours(x, scale), right(x, scale), wrong, kBound);
}

// LayerNorm: the mean is not taken off.
TEST(rms_norm, mean_subtracted) {
  const Row x = {5, 6, 7, 9};
  const Row scale = {1, 0.5, 2, -1};
  Row centred = x;
  for (double& value : centred) {
    value -= 6.75;
  }
  expect_avoided(ours(x, scale), right(x, scale), right(centred, scale), kBound);
}

// M-15: heads of unequal size tell.
TEST(rms_norm, over_all_heads) {
  const auto x = tensor_of<T, N, H>({1, 2, 2}, {3, 4, 0.3, 0.4});
  const auto y = rms_norm_heads_unscaled(x, 1e-6);
  auto expected = right({3, 4}, {1, 1});
  const auto second = right({0.3, 0.4}, {1, 1});
  expected.insert(expected.end(), second.begin(), second.end());
  expect_avoided(values_of(y), expected, right({3, 4, 0.3, 0.4}, {1, 1, 1, 1}), kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
