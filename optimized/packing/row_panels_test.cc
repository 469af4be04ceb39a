// SPDX-License-Identifier: Apache-2.0
// Packed rows, element by element: bits where nothing is rounded, and against what ggml's kernels
// round to (reference/family/checkpoint/input_rounding.h).
#include "optimized/packing/row_panels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "optimized/testing/every_target.h"
#include "optimized/testing/test_numbers.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/input_rounding.h"

namespace assay::cpu {
namespace {

class Panels : public EveryTarget {};
ASSAY_ON_EVERY_TARGET(Panels);

// Element k of row t as the header says that it is stored.
double element(const RowPanels& p, std::size_t t, std::size_t k) {
  const std::size_t panel = t / p.height;
  const std::size_t r = t % p.height;
  switch (p.format) {
    case RowFormat::kF32:
    case RowFormat::kF32RoundedToBf16:
    case RowFormat::kF32RoundedToInt8K:
      return p.f32(panel)[k * p.height + r];
    case RowFormat::kBf16:
      return float_from_bf16(p.bf16(panel)[(k / 2 * p.height + r) * 2 + k % 2]);
    case RowFormat::kInt8:
    case RowFormat::kInt8K:
    case RowFormat::kInt8Digits:
      break;
  }
  const std::size_t digits = digits_of(p.format);
  double value = 0;
  for (std::size_t digit = digits; digit-- > 0;) {
    const std::size_t word = (k / 32 * digits + digit) * 8 + k % 32 / 4;
    value = value / 254 + p.int8(panel)[(word * p.height + r) * 4 + k % 4];
  }
  return value * double(p.scales(panel)[k / 32 * p.height + r]);
}

std::vector<std::vector<float>> some_rows(std::size_t rows, std::size_t columns, double reach) {
  Numbers numbers(rows * 131 + columns);
  std::vector<std::vector<float>> x;
  for (std::size_t t = 0; t < rows; ++t) {
    x.push_back(
        activation_row(t % 2 == 0 ? DataSet::kPlanted : DataSet::kRange, numbers, columns, reach));
  }
  return x;
}

RowPanels packed(const std::vector<std::vector<float>>& x, RowFormat format) {
  const std::size_t columns = x[0].size();
  std::vector<float> all;
  for (const auto& row : x) {
    all.insert(all.end(), row.begin(), row.end());
    all.push_back(std::numeric_limits<float>::quiet_NaN());  // between the rows
  }
  RowPanels panels;
  panels.pack({all.data(), columns + 1, x.size(), columns}, format, Threads(1));
  return panels;
}

TEST_P(Panels, FloatsKeepTheirBitsAndRoundedOnesRoundToNearestEven) {
  for (std::size_t rows = 1; rows <= 25; ++rows) {
    for (const std::size_t columns : {1, 2, 31, 64, 65}) {
      const auto x = some_rows(rows, columns, 30);
      for (const RowFormat format :
           {RowFormat::kF32, RowFormat::kF32RoundedToBf16, RowFormat::kBf16}) {
        const RowPanels panels = packed(x, format);
        for (std::size_t t = 0; t < rows; ++t) {
          for (std::size_t k = 0; k < columns; ++k) {
            const float expected = format == RowFormat::kF32 ? x[t][k] : round_to_bf16(x[t][k]);
            ASSERT_EQ(element(panels, t, k), double(expected)) << rows << " " << t << " " << k;
          }
        }
      }
    }
  }
}

TEST_P(Panels, OneDigitIsWhatGgmlRoundsTo) {
  for (std::size_t rows = 1; rows <= 9; ++rows) {
    const auto x = some_rows(rows, 320, 12);
    const RowPanels panels = packed(x, RowFormat::kInt8);
    for (std::size_t t = 0; t < rows; ++t) {
      auto expected = x[t];
      round_input(InputRounding::kBlocks32, HalfWay::kEven, expected.data(), expected.size());
      for (std::size_t k = 0; k < expected.size(); ++k) {
        ASSERT_EQ(element(panels, t, k), double(expected[k])) << rows << " " << t << " " << k;
      }
    }
  }
}

TEST_P(Panels, TheDigitOfKTypesIsWhatGgmlRoundsTo) {
  for (std::size_t rows = 1; rows <= 9; ++rows) {
    const auto x = some_rows(rows, 768, 12);
    for (const RowFormat format : {RowFormat::kInt8K, RowFormat::kF32RoundedToInt8K}) {
      const RowPanels panels = packed(x, format);
      for (std::size_t t = 0; t < rows; ++t) {
        auto expected = x[t];
        round_input(InputRounding::kBlocks256, HalfWay::kEven, expected.data(), expected.size());
        for (std::size_t k = 0; k < expected.size(); ++k) {
          ASSERT_EQ(static_cast<float>(element(panels, t, k)), expected[k]) << rows << " " << k;
        }
      }
    }
  }
}

TEST_P(Panels, ThreeDigitsHoldAFloatToAnUlpOfTheLargestOfTheBlock) {
  double worst = 0;
  for (std::size_t rows = 1; rows <= 9; ++rows) {
    const auto x = some_rows(rows, 320, 30);
    const RowPanels panels = packed(x, RowFormat::kInt8Digits);
    for (std::size_t t = 0; t < rows; ++t) {
      for (std::size_t k = 0; k < 320; ++k) {
        double largest = 0;
        for (std::size_t j = k / 32 * 32; j < k / 32 * 32 + 32; ++j) {
          largest = std::max(largest, std::abs(double(x[t][j])));
        }
        worst = std::max(worst, std::abs(element(panels, t, k) - double(x[t][k])) / largest);
      }
    }
  }
  EXPECT_LE(worst, 2.5 * kRounding);  // half a code of the last digit: 1.02 u; the scale's rounding
  RecordProperty("worst", std::to_string(worst / kRounding));
}

TEST_P(Panels, ABlockHasTheSumOfEachDigit) {
  const auto x = some_rows(7, 256, 20);
  for (const RowFormat format : {RowFormat::kInt8, RowFormat::kInt8K, RowFormat::kInt8Digits}) {
    const RowPanels p = packed(x, format);
    const std::size_t digits = digits_of(format);
    for (std::size_t t = 0; t < 7; ++t) {
      const std::size_t panel = t / p.height;
      const std::size_t r = t % p.height;
      for (std::size_t b = 0; b < 8; ++b) {
        for (std::size_t digit = 0; digit < digits; ++digit) {
          int sum = 0;
          int half = 0;
          for (std::size_t k = 0; k < 32; ++k) {
            const std::size_t word = (b * digits + digit) * 8 + k / 4;
            const int code = p.int8(panel)[(word * p.height + r) * 4 + k % 4];
            EXPECT_LE(std::abs(code), 127);
            sum += code;
            half += k < 16 ? code : 0;
          }
          EXPECT_EQ(p.sums(panel)[(b * digits + digit) * p.height + r], sum);
          EXPECT_EQ(p.half_sums(panel)[(b * digits + digit) * p.height + r], half);
        }
      }
    }
  }
}

TEST_P(Panels, RowsThatPadAPanelAreZero) {
  for (const RowFormat format : {RowFormat::kF32, RowFormat::kBf16, RowFormat::kInt8Digits}) {
    for (std::size_t rows = 2; rows <= 9; ++rows) {
      const RowPanels p = packed(some_rows(rows, 96, 10), format);
      for (std::size_t t = rows; t < p.panels() * p.height; ++t) {
        for (std::size_t k = 0; k < 96; ++k) {
          ASSERT_EQ(element(p, t, k), 0) << rows << " " << t;
        }
      }
    }
  }
}

// A NaN that became a code would be a number.
TEST_P(Panels, ABlockThatIsNotFiniteHasNoScale) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
        std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    for (const RowFormat format : {RowFormat::kInt8, RowFormat::kInt8Digits}) {
      for (std::size_t k = 32; k < 64; ++k) {
        auto x = some_rows(3, 96, 10);
        x[1][k] = bad;
        const RowPanels p = packed(x, format);
        EXPECT_TRUE(std::isnan(element(p, 1, 40))) << k;
        EXPECT_TRUE(std::isfinite(element(p, 1, 0)) && std::isfinite(element(p, 1, 64))) << k;
        EXPECT_TRUE(std::isfinite(element(p, 0, 40)) && std::isfinite(element(p, 2, 40))) << k;
      }
    }
  }
}

TEST_P(Panels, ASuperBlockThatIsNotFiniteHasNoScale) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    for (const RowFormat format : {RowFormat::kInt8K, RowFormat::kF32RoundedToInt8K}) {
      auto x = some_rows(3, 768, 10);
      x[1][300] = bad;
      const RowPanels p = packed(x, format);
      EXPECT_TRUE(std::isnan(element(p, 1, 256)) && std::isnan(element(p, 1, 511)));
      EXPECT_TRUE(std::isfinite(element(p, 1, 255)) && std::isfinite(element(p, 1, 512)));
      EXPECT_TRUE(std::isfinite(element(p, 0, 300)) && std::isfinite(element(p, 2, 300)));
    }
  }
}

TEST_P(Panels, BlocksOfTheSmallestNumbersAreZeros) {
  for (const RowFormat format : {RowFormat::kInt8, RowFormat::kInt8Digits}) {
    for (const float tiny :
         {0.0F, std::numeric_limits<float>::denorm_min(), 0x1p-130F, 0x1p-120F}) {
      const RowPanels p = packed({std::vector<float>(64, tiny)}, format);
      EXPECT_EQ(element(p, 0, 3), 0) << tiny;
    }
    const RowPanels p = packed({std::vector<float>(64, 0x1.8p-119F)}, RowFormat::kInt8Digits);
    EXPECT_NEAR(element(p, 0, 3), 0x1.8p-119, 0x1p-141);
    const RowPanels large =
        packed({std::vector<float>(64, std::numeric_limits<float>::max())}, RowFormat::kInt8Digits);
    EXPECT_NEAR(element(large, 0, 3) / double(std::numeric_limits<float>::max()), 1, 0x1p-22);
  }
}

}  // namespace
}  // namespace assay::cpu
