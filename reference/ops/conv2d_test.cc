// SPDX-License-Identifier: Apache-2.0
// Rules RC-1.
#include "reference/ops/conv2d.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(4e-6, 1e-14);

// Two channels in, three out, T = 5 and F = 6: one odd, one even, and no two axes alike.
const auto kInput = random_tensor<I, T, F>({2, 5, 6}, 1);
const auto kKernel = random_tensor<O, I, J, J>({3, 2, 3, 3}, 2);

std::vector<double> ours(const Tensor<O, I, J, J>& weight) {
  return values_of(conv2d(kInput, weight));
}

// The formula in double, with this many zeros before the first row and column.
std::vector<double> from_formula(std::size_t time_zeros, std::size_t frequency_zeros) {
  std::vector<double> y;
  const auto at = [](std::size_t i, std::size_t t, std::size_t f) {
    return t < 5 && f < 6 ? static_cast<double>(kInput(i, t, f)) : 0.0;
  };
  for (std::size_t o = 0; o < 3; ++o) {
    for (std::size_t place = 0; place < 9; ++place) {  // 3 times, 3 frequencies
      const std::size_t t = 2 * (place / 3);
      const std::size_t f = 2 * (place % 3);
      double sum = 0;
      for (std::size_t tap = 0; tap < 18; ++tap) {
        const std::size_t i = tap / 9;
        const std::size_t a = tap % 9 / 3;
        const std::size_t b = tap % 3;
        sum += static_cast<double>(kKernel(o, i, a, b)) *
               at(i, t + a - time_zeros, f + b - frequency_zeros);
      }
      y.push_back(sum);
    }
  }
  return y;
}

Tensor<O, I, J, J> changed_kernel(bool transposed, bool flipped) {
  Tensor<O, I, J, J> weight = kKernel;
  for (std::size_t o = 0; o < 3; ++o) {
    for (std::size_t tap = 0; tap < 18; ++tap) {
      const std::size_t i = tap / 9;
      const std::size_t a = tap % 9 / 3;
      const std::size_t b = tap % 3;
      weight(o, i, a, b) = transposed ? kKernel(o, i, b, a)
                           : flipped  ? kKernel(o, i, 2 - a, 2 - b)
                                      : kKernel(o, i, a, b);
    }
  }
  return weight;
}

TEST(Conv2d, ByHand) {  // rows 1 2 3, 4 5 6, 7 8 9
  const auto x = tensor_of<I, T, F>({1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto sums = tensor_of<O, I, J, J>({1, 1, 3, 3}, {1, 1, 1, 1, 1, 1, 1, 1, 1});
  const auto centre = tensor_of<O, I, J, J>({1, 1, 3, 3}, {0, 0, 0, 0, 1, 0, 0, 0, 0});
  const auto before = tensor_of<O, I, J, J>({1, 1, 3, 3}, {0, 1, 0, 0, 0, 0, 0, 0, 0});
  expect_near(values_of(conv2d(x, sums)), {12, 16, 24, 28}, 0);
  expect_near(values_of(conv2d(x, centre)), {1, 3, 7, 9}, 0);
  expect_near(values_of(conv2d(x, before)), {0, 0, 4, 6}, 0);  // one row earlier
}

TEST(Conv2d, SumsOverInputChannels) {
  expect_near(ours(kKernel), from_formula(1, 1), kBound);
}

TEST(Conv2d, HalvesUpwards) {
  for (const std::size_t times : {1u, 2u, 3u, 4u, 5u}) {
    const auto y = conv2d(make_tensor<I, T, F>({2, times, 6}), kKernel);
    EXPECT_EQ(y.shape()[1], (times + 1) / 2) << times;
    EXPECT_EQ(y.shape()[2], 3u);
  }
}

TEST(Conv2d, RefusesAnotherKernel) {
  EXPECT_EQ(error_of([] {
              conv2d(kInput, make_tensor<O, I, J, J>({3, 1, 3, 3}));
            }),
            "conv2d: weight: got shape [3, 1, 3, 3], expected [3, 2, 3, 3]");
  EXPECT_EQ(error_of([] {
              conv2d(kInput, make_tensor<O, I, J, J>({3, 2, 5, 3}));
            }),
            "conv2d: weight: got shape [3, 2, 5, 3], expected [3, 2, 3, 3]");
}

// C1
TEST(conv2d, time_and_frequency_transposed) {
  expect_avoided(ours(kKernel), from_formula(1, 1), ours(changed_kernel(true, false)), kBound);
}

// C2
TEST(conv2d, flipped_kernel) {
  expect_avoided(ours(kKernel), from_formula(1, 1), ours(changed_kernel(false, true)), kBound);
}

// C3: "SAME" of TensorFlow with a stride of 2 puts all zeros at the end.
TEST(conv2d, zeros_only_after) {
  expect_avoided(ours(kKernel), from_formula(1, 1), from_formula(0, 0), kBound);
}

// C4
TEST(conv2d, causal_in_time) {
  expect_avoided(ours(kKernel), from_formula(1, 1), from_formula(2, 1), kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
