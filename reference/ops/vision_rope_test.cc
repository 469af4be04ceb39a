// SPDX-License-Identifier: Apache-2.0
// The mistakes V20 ... V27 are in reference/model/vision_mistakes_test.cc.
#include "reference/ops/vision_rope.h"

#include "reference/family/base/json_object.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-6, 1e-14);
constexpr double kTheta = 100;

IntTensor<T, A> place(std::int32_t x, std::int32_t y) {
  IntTensor<T, A> positions({1, 2}, x);
  positions(0, 1) = y;
  return positions;
}

// One pair for each axis, frequency 1 for both.
TEST(VisionRope, ByHand) {
  const auto u = tensor_of<T, N, H>({1, 1, 4}, {1, 0, 0, 2});
  const auto y = vision_rope(u, vision_rope_table(place(2, 3), 4, kTheta));
  expect_near(values_of(y), {std::cos(2), std::sin(2), -2 * std::sin(3), 2 * std::cos(3)}, kBound);
}

TEST(VisionRope, PrintedValues) {
  const std::string path = source_dir() + "/golden/tables/vision_miniature.json";
  const Json lines = parse_json_file(path, "vision_miniature.json", 1 << 20).at("rope");
  for (const Json& line : lines) {
    const auto head_dim = line.at("head_dim").get<std::size_t>();
    const auto position = line.at("position").get<std::vector<std::int32_t>>();
    const std::int32_t x = position.at(0);
    const auto table = vision_rope_table(place(x, position.at(1)), head_dim, kTheta);
    const auto one = vision_rope_table(place(1, 0), head_dim, kTheta);
    for (std::size_t j = 0; j < line.at("frequency").size(); ++j) {
      EXPECT_NEAR(static_cast<double>(one.angles(0, j)), line.at("frequency")[j].get<double>(),
                  1e-7)
          << line;
    }
    EXPECT_NEAR(static_cast<double>(one.angles(0, head_dim / 4 - 1)),
                line.at("last_frequency").get<double>(), 6e-8);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(static_cast<double>(table.cos(0, j)), line.at("cos_x")[j].get<double>(), 1.2e-7)
          << line;
      EXPECT_NEAR(static_cast<double>(table.sin(0, head_dim / 2 + j)),
                  line.at("sin_y")[j].get<double>(), 1.2e-7)
          << line;
    }
  }
}

TEST(VisionRope, EachFrequencyStandsTwice) {
  const auto angles = vision_rope_table(place(5, 11), 16, kTheta).angles;
  for (std::size_t c = 0; c < 16; ++c) {
    EXPECT_EQ(angles(0, c), angles(0, c ^ 4u)) << "channel " << c;
  }
  EXPECT_EQ(angles(0, 0), 5);
  EXPECT_EQ(angles(0, 8), 11);
}

TEST(VisionRope, TheOriginTurnsNothing) {
  const auto u = random_tensor<T, N, H>({1, 2, 12}, 1);
  EXPECT_EQ(values_of(vision_rope(u, vision_rope_table(place(0, 0), 12, kTheta))), values_of(u));
}

// A column turns the first half of a head, a row the second.
TEST(VisionRope, AxesDoNotMix) {
  const auto u = random_tensor<T, N, H>({1, 2, 12}, 2);
  const auto right = vision_rope(u, vision_rope_table(place(3, 0), 12, kTheta));
  const auto down = vision_rope(u, vision_rope_table(place(0, 3), 12, kTheta));
  for (std::size_t c = 0; c < 12; ++c) {
    EXPECT_EQ(right(0, 1, c) == u(0, 1, c), c >= 6) << "channel " << c;
    EXPECT_EQ(down(0, 1, c) == u(0, 1, c), c < 6) << "channel " << c;
  }
}

// Products of queries and keys know the way between two patches, not where they are.
TEST(VisionRope, ProductsDependOnTheDistanceOnly) {
  const auto q = random_tensor<T, N, H>({1, 1, 16}, 3);
  const auto k = random_tensor<T, N, H>({1, 1, 16}, 4);
  const auto dot = [&](std::int32_t shift) {
    const auto a = vision_rope(q, vision_rope_table(place(5 + shift, 2 + shift), 16, kTheta));
    const auto b = vision_rope(k, vision_rope_table(place(1 + shift, 9 + shift), 16, kTheta));
    double sum = 0;
    for (std::size_t c = 0; c < 16; ++c) {
      sum += static_cast<double>(a(0, 0, c)) * static_cast<double>(b(0, 0, c));
    }
    return sum;
  };
  EXPECT_NEAR(dot(0), dot(1), bound_of(5e-6, 1e-13));
  EXPECT_NEAR(dot(0), dot(100), bound_of(5e-6, 1e-13));
}

// Angles of a long strip are as good as those of a small image.
TEST(VisionRope, AnglesAreEvaluatedInDouble) {
  const auto table = vision_rope_table(place(3359, 0), 64, kTheta);
  for (std::size_t j = 0; j < 16; ++j) {
    const double angle = 3359 * std::pow(100.0, -2.0 * static_cast<double>(j) / 32);
    EXPECT_NEAR(static_cast<double>(table.cos(0, j)), std::cos(angle), bound_of(6e-8, 1e-12));
  }
}

TEST(VisionRope, TableOfGivenAngles) {
  const auto table = vision_rope_table(tensor_of<T, H>({1, 4}, {1, 1, 2, 2}));
  EXPECT_EQ(values_of(table.angles), std::vector<double>({1, 1, 2, 2}));
  EXPECT_EQ(table.cos(0, 1), static_cast<Real>(std::cos(1.0)));
  EXPECT_EQ(table.sin(0, 2), static_cast<Real>(std::sin(2.0)));
}

TEST(VisionRope, RefusesWhatDoesNotFit) {
  EXPECT_EQ(error_of([] { vision_rope_table(place(0, 0), 10, kTheta); }),
            "vision_rope_table: head_dim: got 10, expected a multiple of 4");
  EXPECT_EQ(
      error_of([] {
        vision_rope(make_tensor<T, N, H>({2, 1, 8}), vision_rope_table(place(0, 0), 8, kTheta));
      }),
      "vision_rope: cos: got shape [1, 8], expected [2, 8]");
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
