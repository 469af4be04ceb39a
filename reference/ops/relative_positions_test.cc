// SPDX-License-Identifier: Apache-2.0
// Rules RC-5.
#include "reference/ops/relative_positions.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-7, 1e-15);
constexpr std::size_t kRows = 13;
constexpr std::size_t kWidth = 16;
constexpr std::size_t kHalf = kWidth / 2;

// Where sine and cosine of time scale i stand in a row.
enum class Layout { kSinesFirst, kCosinesFirst, kInterleaved };

std::vector<double> from_formula(double denominator, Layout layout, bool ascending) {
  std::vector<double> y(kRows * kWidth);
  for (std::size_t r = 0; r < kRows; ++r) {
    const double distance = static_cast<double>(ascending ? r : kRows - 1 - r);
    for (std::size_t i = 0; i < kHalf; ++i) {
      const double angle = distance * std::pow(1e4, -static_cast<double>(i) / denominator);
      const std::size_t sine = layout == Layout::kInterleaved ? 2 * i : i;
      const std::size_t cosine = layout == Layout::kInterleaved ? 2 * i + 1 : kHalf + i;
      const bool swapped = layout == Layout::kCosinesFirst;
      y[r * kWidth + sine] = swapped ? std::cos(angle) : std::sin(angle);
      y[r * kWidth + cosine] = swapped ? std::sin(angle) : std::cos(angle);
    }
  }
  return y;
}

std::vector<double> ours() {
  return values_of(relative_positions(kRows, kWidth));
}

const auto kRight = from_formula(kHalf - 1, Layout::kSinesFirst, false);

TEST(RelativePositions, ByHand) {  // distances 1 and 0, time scales 1 and 1/10000
  expect_near(values_of(relative_positions(2, 4)),
              {0.841470984807897, 9.99999998333333e-5, 0.54030230586814, 0.999999995,  //
               0, 0, 1, 1},
              kBound);
}

TEST(RelativePositions, Descending) {
  expect_near(ours(), kRight, bound_of(1e-7, 1e-14));
}

// The released width: 512 time scales, the last one exactly 1/10000.
TEST(RelativePositions, ReleasedWidth) {
  const auto table = relative_positions(13, 1024);
  const auto tau = [&table](std::size_t i) {  // from distance 1
    return std::asin(static_cast<double>(table(11, i)));
  };
  EXPECT_NEAR(tau(1), 0.98213731, bound_of(3e-7, 1e-8));
  EXPECT_NEAR(tau(255), 0.010090528, bound_of(1e-8, 1e-9));
  EXPECT_NEAR(tau(511), 1e-4, bound_of(1e-10, 1e-16));
  for (std::size_t i = 0; i < 512; ++i) {
    EXPECT_EQ(table(12, i), 0);
    EXPECT_EQ(table(12, 512 + i), 1);
  }
}

TEST(RelativePositions, RefusesAnOddWidth) {
  EXPECT_EQ(error_of([] { relative_positions(13, 15); }),
            "relative_positions: width: got 15, expected an even number");
}

// C14
TEST(relative_positions, denominator_is_half_the_width) {
  expect_avoided(ours(), kRight, from_formula(kHalf, Layout::kSinesFirst, false), kBound);
}

// C15
TEST(relative_positions, cosines_first) {
  expect_avoided(ours(), kRight, from_formula(kHalf - 1, Layout::kCosinesFirst, false), kBound);
}

// C15
TEST(relative_positions, interleaved) {
  expect_avoided(ours(), kRight, from_formula(kHalf - 1, Layout::kInterleaved, false), kBound);
}

// C16: visible at the logits of ports that fill the table the other way and index it alike.
TEST(relative_positions, ascending) {
  expect_avoided(ours(), kRight, from_formula(kHalf - 1, Layout::kSinesFirst, true), kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
