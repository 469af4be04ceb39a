// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/softmax.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(3e-7, 1e-15);

// One query, one head.
std::vector<double> ours(const std::vector<double>& scores, const std::vector<double>& visible) {
  const auto x = tensor_of<T, N, S>({1, 1, scores.size()}, scores);
  IntTensor<T, S> mask = IntTensor<T, S>::from_shape({1, visible.size()});
  std::transform(visible.begin(), visible.end(), mask.begin(),
                 [](double value) { return static_cast<std::int32_t>(value); });
  return values_of(masked_softmax(x, mask));
}

TEST(Softmax, ByHand) {
  const auto x = tensor_of<R, E>({2, 3}, {0, std::log(2), std::log(5), 7, 7, 7});
  expect_near(values_of(softmax(x)), {0.125, 0.25, 0.625, 1.0 / 3, 1.0 / 3, 1.0 / 3}, kBound);
}

TEST(Softmax, LargeValuesDoNotOverflow) {
  const double e = std::exp(1.0);
  const auto x = tensor_of<R, E>({1, 2}, {10000, 10001});
  expect_near(values_of(softmax(x)), {1 / (1 + e), e / (1 + e)}, kBound);
}

TEST(Softmax, HiddenEntriesAreExactlyZero) {
  const auto p = ours({0, 3, std::log(3)}, {1, 0, 1});
  EXPECT_EQ(p[1], 0);
  expect_near(p, {0.25, 0, 0.75}, kBound);
}

TEST(Softmax, TheMaskHoldsForEveryHeadOfItsQuery) {
  const auto scores = tensor_of<T, N, S>({2, 2, 2}, {0, 9, 0, 9, 0, 0, 9, 9});
  const IntTensor<T, S> mask = {{1, 0}, {1, 1}};
  expect_near(values_of(masked_softmax(scores, mask)), {1, 0, 1, 0, 0.5, 0.5, 0.5, 0.5}, kBound);
}

// a padding query sees nothing; what comes out must be finite.
TEST(Softmax, AFullyMaskedRowIsFinite) {
  EXPECT_EQ(ours({1, -2, 1e30}, {0, 0, 0}), std::vector<double>({0, 0, 0}));
}

TEST(Softmax, RefusesAMaskOfAnotherShape) {
  const auto scores = make_tensor<T, N, S>({2, 3, 4});
  const IntTensor<T, S> mask = IntTensor<T, S>::from_shape({2, 3});
  EXPECT_EQ(error_of([&] { masked_softmax(scores, mask); }),
            "masked_softmax: visible: got shape [2, 3], expected [2, 4]");
}

// A hidden score far above the visible ones would drive all of them to zero.
TEST(softmax, maximum_over_hidden) {
  EXPECT_EQ(std::exp(static_cast<Real>(0 - 5000)), 0);
  expect_near(ours({0, 5000, 0}, {1, 0, 1}), {0.5, 0, 0.5}, kBound);
}

// A finite bias in place of a mask lets a large hidden score through.
TEST(softmax, bias_instead_of_mask) {
  const std::vector<double> biased = {0, 1e5 - 1e4, 0};
  EXPECT_GT(biased[1], biased[0]);
  EXPECT_EQ(ours({0, 1e5, 0}, {1, 0, 1})[1], 0);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
