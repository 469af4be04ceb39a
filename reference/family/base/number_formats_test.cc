// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/number_formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace assay {
namespace {

constexpr std::uint32_t kCodes = 1u << 16;

std::uint32_t bits_of(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

// The value of a code by the definition of its format.
double by_definition(std::uint32_t code, int exponent_bits, int fraction_bits) {
  const double sign = (code >> 15) != 0 ? -1.0 : 1.0;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(code >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = static_cast<int>(code) & ((1 << fraction_bits) - 1);
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  }
  const int hidden = exponent == 0 ? 0 : 1 << fraction_bits;
  const int power = (exponent == 0 ? 1 : exponent) - bias - fraction_bits;
  return sign * std::ldexp(hidden + fraction, power);
}

// Between two codes that follow each other: which one a value rounds to, ties to even.
std::uint16_t nearest(float value, std::uint16_t low, double low_value, double high_value) {
  const double middle = (low_value + high_value) / 2;
  const bool up = std::abs(value) > std::abs(middle) || (value == middle && (low & 1) != 0);
  return static_cast<std::uint16_t>(up ? low + 1 : low);
}

TEST(NumberFormats, EveryBf16CodeWidensByDefinition) {
  for (std::uint32_t code = 0; code < kCodes; ++code) {
    const float value = float_from_bf16(static_cast<std::uint16_t>(code));
    const double expected = by_definition(code, 8, 7);
    ASSERT_TRUE(std::isnan(expected) ? std::isnan(value) : value == expected) << code;
    ASSERT_EQ(std::signbit(value), code >> 15 != 0) << code;
  }
}

TEST(NumberFormats, EveryF16CodeWidensByDefinition) {
  for (std::uint32_t code = 0; code < kCodes; ++code) {
    const float value = float_from_f16(static_cast<std::uint16_t>(code));
    const double expected = by_definition(code, 5, 10);
    ASSERT_TRUE(std::isnan(expected) ? std::isnan(value) : value == expected) << code;
    ASSERT_EQ(std::signbit(value), code >> 15 != 0) << code;
  }
}

// The value of a code by OCP's definition; one of no infinity keeps its topmost exponent.
double byte_by_definition(int code, int exponent_bits, int fraction_bits) {
  const double sign = code >= 128 ? -1.0 : 1.0;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (code >> fraction_bits) & ((1 << exponent_bits) - 1);
  const int fraction = code & ((1 << fraction_bits) - 1);
  const int hidden = exponent == 0 ? 0 : 1 << fraction_bits;
  const int power = (exponent == 0 ? 1 : exponent) - bias - fraction_bits;
  return sign * std::ldexp(hidden + fraction, power);
}

TEST(NumberFormats, EveryByteWidensByDefinition) {
  for (int code = 0; code < 256; ++code) {
    const auto bits = static_cast<std::uint8_t>(code);
    if ((code & 0x7F) == 0x7F) {
      ASSERT_TRUE(std::isnan(float_from_e4m3(bits)));
    } else {
      ASSERT_EQ(float_from_e4m3(bits), byte_by_definition(code, 4, 3)) << code;
      ASSERT_EQ(std::signbit(float_from_e4m3(bits)), code >= 128) << code;
    }
    if ((code & 0x7C) == 0x7C) {
      ASSERT_EQ(std::isnan(float_from_e5m2(bits)), (code & 3) != 0);
      ASSERT_FALSE(std::isfinite(float_from_e5m2(bits)));
    } else {
      ASSERT_EQ(float_from_e5m2(bits), byte_by_definition(code, 5, 2)) << code;
    }
    if (code == 255) {
      ASSERT_TRUE(std::isnan(float_from_e8m0(bits)));
    } else {
      ASSERT_EQ(float_from_e8m0(bits), std::ldexp(1.0, code - 127)) << code;
    }
  }
  EXPECT_EQ(float_from_e4m3(0x7E), 448.0f);
  EXPECT_EQ(float_from_e5m2(0x7B), 57344.0f);
  const float kHalves[] = {0, 1, 2, 3, 4, 6, 8, 12};
  for (std::uint8_t code = 0; code < 16; ++code) {
    EXPECT_EQ(float_from_e2m1(code), (code < 8 ? 0.5f : -0.5f) * kHalves[code & 7]);
    EXPECT_EQ(std::signbit(float_from_e2m1(code)), code >= 8);
  }
}

TEST(NumberFormats, EveryCodeComesBack) {
  for (std::uint32_t code = 0; code < kCodes; ++code) {
    const auto bits = static_cast<std::uint16_t>(code);
    if (std::isnan(float_from_bf16(bits))) {
      ASSERT_TRUE(std::isnan(round_to_bf16(float_from_bf16(bits)))) << code;
    } else {
      ASSERT_EQ(bf16_from_float(float_from_bf16(bits)), bits);
    }
    if (std::isnan(float_from_f16(bits))) {
      ASSERT_TRUE(std::isnan(float_from_f16(f16_from_float(float_from_f16(bits))))) << code;
    } else {
      ASSERT_EQ(f16_from_float(float_from_f16(bits)), bits);
    }
  }
}

// For each pair of neighbours: the middle, and the floats just below and above it.
template <class Widen, class Round>
void check_rounding(Widen widen, Round round, std::uint16_t infinity) {
  for (const std::uint32_t sign : {0u, 0x8000u}) {
    for (std::uint32_t code = 0; code + 1 < infinity; ++code) {
      const auto low = static_cast<std::uint16_t>(code | sign);
      const double low_value = widen(low);
      const double high_value = widen(static_cast<std::uint16_t>(low + 1));
      const auto middle = static_cast<float>((low_value + high_value) / 2);
      for (const float toward : {0.0f, middle, middle * 2}) {
        const float value = std::nextafter(middle, toward);
        ASSERT_EQ(round(value), nearest(value, low, low_value, high_value)) << value;
      }
    }
  }
}

TEST(NumberFormats, Bf16RoundsToNearestEven) {
  check_rounding(float_from_bf16, bf16_from_float, 0x7F80);
}

TEST(NumberFormats, F16RoundsToNearestEven) {
  check_rounding(float_from_f16, f16_from_float, 0x7C00);
}

TEST(NumberFormats, TooLargeBecomesInfinity) {
  EXPECT_EQ(f16_from_float(65519.996f), 0x7BFF);
  EXPECT_EQ(f16_from_float(65520.0f), 0x7C00);
  EXPECT_EQ(f16_from_float(-1e30f), 0xFC00);
  EXPECT_EQ(bf16_from_float(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(bits_of(round_to_bf16(-0.0f)), 0x80000000u);
}

}  // namespace
}  // namespace assay
