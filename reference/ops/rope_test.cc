// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/rope.h"

#include <functional>

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-6, 1e-14);
constexpr std::size_t kWidth = 16;
constexpr RopeParameters kSliding{1e4, 1.0};
constexpr RopeParameters kFull{1e6, 0.25};  // 2 of 8 pairs

// A rotation told pair by pair: the two channels and the angle at `position`.
struct Pair {
  std::size_t first;
  std::size_t second;
  double angle;
};
using Pairing = std::function<std::vector<Pair>(double position)>;

// written once more; `exponent_width` is what the exponent is divided by.
Pairing half_split(std::size_t pairs, double theta, double exponent_width) {
  return [=](double position) {
    std::vector<Pair> all;
    for (std::size_t c = 0; c < pairs; ++c) {
      const double frequency = std::pow(theta, -2.0 * static_cast<double>(c) / exponent_width);
      all.push_back({c, c + kWidth / 2, position * frequency});
    }
    return all;
  };
}

std::vector<double> rotated(const Tensor<T, N, H>& x, const std::vector<std::int32_t>& positions,
                            const Pairing& pairing) {
  auto y = values_of(x);
  for (std::size_t row = 0; row < y.size() / kWidth; ++row) {
    const std::size_t t = row / x.shape()[1];
    for (const Pair& pair : pairing(positions[t])) {
      double& first = y[row * kWidth + pair.first];
      double& second = y[row * kWidth + pair.second];
      const double before = first;
      first = before * std::cos(pair.angle) - second * std::sin(pair.angle);
      second = second * std::cos(pair.angle) + before * std::sin(pair.angle);
    }
  }
  return y;
}

const std::vector<std::int32_t> kPositions = {0, 1, 7};

Tensor<T, N, H> some_queries() {
  return random_tensor<T, N, H>({3, 2, kWidth}, 5);
}

std::vector<double> ours(const RopeParameters& parameters) {
  return values_of(rope(some_queries(), rope_table(kPositions, kWidth, parameters)));
}

void expect_rope_avoids(const RopeParameters& parameters, const Pairing& right,
                        const Pairing& wrong) {
  expect_avoided(ours(parameters), rotated(some_queries(), kPositions, right),
                 rotated(some_queries(), kPositions, wrong), kBound);
}

// theta 16, width 4: frequencies 1 and 16^(-1/2) = 1/4.
TEST(Rope, ByHand) {
  const auto x = tensor_of<T, N, H>({1, 1, 4}, {1, 0, 0, 2});
  const auto y = rope(x, rope_table({2}, 4, {16, 1.0}));
  expect_near(values_of(y), {std::cos(2), -2 * std::sin(0.5), std::sin(2), 2 * std::cos(0.5)},
              kBound);
}

TEST(Rope, PositionZeroTurnsNothing) {
  const auto x = random_tensor<T, N, H>({1, 2, kWidth}, 6);
  EXPECT_EQ(values_of(rope(x, rope_table({0}, kWidth, kSliding))), values_of(x));
}

TEST(Rope, KeepsLengths) {
  const auto x = some_queries();
  const auto y = rope(x, rope_table({5, 1000, 100000}, kWidth, kSliding));
  for (std::size_t r = 0; r < 6; ++r) {
    double before = 0;
    double after = 0;
    for (std::size_t h = 0; h < kWidth; ++h) {
      before += std::pow(static_cast<double>(row(x, r, kWidth)[h]), 2);
      after += std::pow(static_cast<double>(row(y, r, kWidth)[h]), 2);
    }
    EXPECT_NEAR(before, after, 10 * kBound);
  }
}

// What attention sees of positions is their difference.
TEST(Rope, ProductsDependOnTheDistanceOnly) {
  const auto x = random_tensor<T, N, H>({2, 1, kWidth}, 7);
  const auto product = [&x](std::int32_t q, std::int32_t k) {
    const auto y = rope(x, rope_table({q, k}, kWidth, kFull));
    double sum = 0;
    for (std::size_t h = 0; h < kWidth; ++h) {
      sum += static_cast<double>(y(0, 0, h)) * static_cast<double>(y(1, 0, h));
    }
    return sum;
  };
  EXPECT_NEAR(product(9, 4), product(105, 100), bound_of(2e-6, 1e-13));
  EXPECT_GT(std::abs(product(9, 4) - product(9, 5)), 1e-3);
}

// I-10: beyond the first quarter of the pairs nothing changes, not even a last bit.
TEST(Rope, PassesTheOtherChannelsThroughBitForBit) {
  const auto x = random_tensor<T, N, H>({2, 3, kWidth}, 8);
  const auto y = rope(x, rope_table({3, 131071}, kWidth, kFull));
  for (std::size_t r = 0; r < 6; ++r) {
    for (std::size_t h = 0; h < kWidth; ++h) {
      const bool turns = h % (kWidth / 2) < 2;
      EXPECT_EQ(row(x, r, kWidth)[h] == row(y, r, kWidth)[h], !turns) << "channel " << h;
    }
  }
}

TEST(Rope, NumberOfTurningPairsIsRoundedDown) {
  const auto table = rope_table({1}, 12, {1e6, 0.25});  // 0.25 * 6 = 1.5
  EXPECT_LT(table.cos(0, 0), 1);
  EXPECT_EQ(table.cos(0, 1), 1);
  EXPECT_EQ(table.sin(0, 1), 0);
}

TEST(Rope, RefusesATableThatDoesNotFit) {
  const auto x = make_tensor<T, N, H>({2, 1, 8});
  EXPECT_EQ(error_of([&] {
              rope(x, rope_table({1, 2, 3}, 8, kSliding));
            }),
            "rope: cos: got shape [3, 4], expected [2, 4]");
  EXPECT_THROW(rope(x, rope_table({1, 2}, 16, kSliding)), Error);
}

// M-49
TEST(rope, interleaved_pairs) {
  const Pairing wrong = [](double position) {
    auto pairs = half_split(8, 1e4, kWidth)(position);
    for (std::size_t c = 0; c < pairs.size(); ++c) {
      pairs[c].first = 2 * c;
      pairs[c].second = 2 * c + 1;
    }
    return pairs;
  };
  expect_rope_avoids(kSliding, half_split(8, 1e4, kWidth), wrong);
}

// M-47: the exponent's denominator is the whole head, not its rotating part.
TEST(rope, partial_uses_rotated_width) {
  expect_rope_avoids(kFull, half_split(2, 1e6, kWidth), half_split(2, 1e6, 4));
}

// M-48: pairs (i, i + 2) among the first four channels.
TEST(rope, partial_of_first_channels) {
  const Pairing wrong = [](double position) {
    auto pairs = half_split(2, 1e6, kWidth)(position);
    for (Pair& pair : pairs) {
      pair.second = pair.first + 2;
    }
    return pairs;
  };
  expect_rope_avoids(kFull, half_split(2, 1e6, kWidth), wrong);
}

// M-46
TEST(rope, full_layers_turn_all_channels) {
  expect_rope_avoids(kFull, half_split(2, 1e6, kWidth), half_split(8, 1e6, kWidth));
}

// M-45
TEST(rope, theta_swapped) {
  expect_rope_avoids(kSliding, half_split(8, 1e4, kWidth), half_split(8, 1e6, kWidth));
}

// M-50
TEST(rope, sign_reversed) {
  const Pairing wrong = [](double position) { return half_split(8, 1e4, kWidth)(-position); };
  expect_rope_avoids(kSliding, half_split(8, 1e4, kWidth), wrong);
}

// M-55, R-22: fp32 angles are an option to be asked for.
TEST(rope, fp32_angles) {
  const std::int32_t far = 131071;
  const auto table = rope_table({far}, 256, kSliding);
  const auto fp32 = rope_table({far}, 256, kSliding, true);
  double apart = 0;
  for (std::size_t c = 0; c < 128; ++c) {
    const double angle = far * std::pow(1e4, -static_cast<double>(c) / 128);
    EXPECT_NEAR(static_cast<double>(table.cos(0, c)), std::cos(angle), bound_of(1e-7, 1e-10));
    EXPECT_NEAR(static_cast<double>(table.sin(0, c)), std::sin(angle), bound_of(1e-7, 1e-10));
    apart = std::max(apart, std::abs(static_cast<double>(fp32.cos(0, c)) - std::cos(angle)));
  }
  EXPECT_GT(apart, 1e-3);
  EXPECT_LT(apart, 1e-2);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
