// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/input_rounding.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "reference/family/checkpoint/dtype.h"
#include "reference/family/synth/weight_generator.h"

namespace assay {
namespace {

template <class Real>
std::vector<Real> rounded(InputRounding rounding, std::vector<Real> row,
                          HalfWay half_way = HalfWay::kEven) {
  round_input(rounding, half_way, row.data(), row.size());
  return row;
}

// 512 blocks of 32, the scales of which run through 24 powers of two.
std::vector<float> noise() {
  std::vector<float> values(16384);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double u = generator_uniform(generator_seed("ggml-inputs"), i);
    values[i] = std::ldexp(static_cast<float>(-3 + 6 * u), static_cast<int>(i / 32 % 24) - 12);
  }
  return values;
}

// FNV-1a of the bits; zeros have no sign.
std::uint64_t fnv1a(std::span<const float> values) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value == 0 ? 0.0f : value);
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((bits >> shift) & 0xFFu)) * 0x100000001B3u;
    }
  }
  return hash;
}

// 127 steps of 1/4: the scale is exact in f16.
TEST(InputRounding, ABlockOf32ByHand) {
  std::vector<float> row(32, 0);
  row[0] = -31.75f;
  row[1] = 0.25f;
  row[2] = 0.3f;
  row[3] = 0.12f;
  auto expected = row;
  expected[2] = 0.25f;
  expected[3] = 0;
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row), expected);
}

// d = 1/127 is rounded to f16: every value of the block is off by the same factor.
TEST(InputRounding, TheScaleOfABlockOf32IsAnF16) {
  std::vector<double> row(32, 1);
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row)[5], 127 * 0x1.02p-7);
  row.resize(256, 1);
  EXPECT_NEAR(rounded(InputRounding::kBlocks256, row)[5], 1, 1e-6);
}

TEST(InputRounding, ZerosStayZeros) {
  const std::vector<float> zeros(256, 0);
  EXPECT_EQ(rounded(InputRounding::kBlocks32, zeros), zeros);
  EXPECT_EQ(rounded(InputRounding::kBlocks256, zeros), zeros);
}

// Bit for bit what quantize_row_q8_0 (AVX2 and generic) and quantize_row_q8_K of ggml 0.25.3 make
// of 16384 numbers, dequantised.
TEST(InputRounding, IsGgmls) {
  EXPECT_EQ(fnv1a(rounded(InputRounding::kBlocks32, noise())), 0x84b56e5dec283c88u);
  EXPECT_EQ(fnv1a(rounded(InputRounding::kBlocks256, noise())), 0x7a27755178eccbecu);
}

TEST(InputRounding, BothPrecisionsRoundAlike) {
  const auto narrow = noise();
  const std::vector<double> wide(narrow.begin(), narrow.end());
  for (const auto rounding : {InputRounding::kF16, InputRounding::kBf16, InputRounding::kBlocks32,
                              InputRounding::kBlocks256}) {
    const auto a = rounded(rounding, narrow);
    EXPECT_EQ(std::vector<double>(a.begin(), a.end()), rounded(rounding, wide));
  }
}

// A value in the middle of two steps, and one that is not.
TEST(InputRounding, HalfWayGoesEitherWay) {
  std::vector<float> row(32, 0);
  row[0] = 127;
  row[1] = 2.5f;
  row[2] = 2.501f;
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row, HalfWay::kEven)[1], 2);
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row, HalfWay::kDown)[1], 2);
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row, HalfWay::kUp)[1], 3);
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row, HalfWay::kDown)[2], 3);
}

// 1 + 2^-11 is in the middle of two numbers of f16; with 2^-22 more it is not, were it exact.
TEST(InputRounding, TheMiddleOfTwoNumbersGoesEitherWay) {
  const float middle = 1 + 0x1p-11f;
  for (const float value : {middle, middle - 0x1p-23f, middle + 0x1p-23f}) {
    const std::vector<float> row = {value, 1.25f};
    EXPECT_EQ(rounded(InputRounding::kF16, row, HalfWay::kUp)[0], 1 + 0x1p-10f);
    EXPECT_EQ(rounded(InputRounding::kF16, row, HalfWay::kDown)[0], 1);
    EXPECT_EQ(rounded(InputRounding::kF16, row, HalfWay::kUp)[1], 1.25f);
  }
  const std::vector<float> above = {middle + 0x1p-20f};
  EXPECT_EQ(rounded(InputRounding::kF16, above, HalfWay::kDown)[0], 1 + 0x1p-10f);
  const std::vector<float> of_bf16 = {1 + 0x1p-8f};
  EXPECT_EQ(rounded(InputRounding::kBf16, of_bf16, HalfWay::kUp)[0], 1 + 0x1p-7f);
  EXPECT_EQ(rounded(InputRounding::kBf16, of_bf16, HalfWay::kDown)[0], 1);
}

// So does the scale of a block: 127 (1 + 2^-11) has one in the middle.
TEST(InputRounding, AScaleGoesEitherWay) {
  std::vector<float> row(32, 0);
  row[0] = 127 * (1 + 0x1p-11f);
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row, HalfWay::kUp)[0], 127 * (1 + 0x1p-10f));
  EXPECT_EQ(rounded(InputRounding::kBlocks32, row, HalfWay::kDown)[0], 127);
}

// A NaN that became a step would be a number.
TEST(InputRounding, WhatIsNoNumberStaysNone) {
  for (const InputRounding rounding : {InputRounding::kF16, InputRounding::kBf16,
                                       InputRounding::kBlocks32, InputRounding::kBlocks256}) {
    for (const std::size_t at : {0, 70, 255}) {
      std::vector<float> row(256, 1.5f);
      row[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_TRUE(std::isnan(rounded(rounding, row)[at])) << static_cast<int>(rounding);
    }
  }
}

TEST(InputRounding, TheWeightsTypeChooses) {
  const auto of = [](std::uint32_t ggml_type) {
    return input_rounding(*dtype_from_ggml(ggml_type));
  };
  EXPECT_EQ(of(0), InputRounding::kNone);        // F32
  EXPECT_EQ(of(1), InputRounding::kF16);         // F16
  EXPECT_EQ(of(30), InputRounding::kBf16);       // BF16
  EXPECT_EQ(of(8), InputRounding::kBlocks32);    // Q8_0
  EXPECT_EQ(of(2), InputRounding::kBlocks32);    // Q4_0
  EXPECT_EQ(of(40), InputRounding::kBlocks32);   // NVFP4, whose own blocks have 64 values
  EXPECT_EQ(of(14), InputRounding::kBlocks256);  // Q6_K
}

}  // namespace
}  // namespace assay
