// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/precision.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace assay::conformance {
namespace {

TEST(Precision, UnitRoundoffs) {
  EXPECT_EQ(find_precision("f32")->unit_roundoff(), 0x1p-24);
  EXPECT_EQ(find_precision("bf16")->unit_roundoff(), 0x1p-8);
  EXPECT_EQ(find_precision("f16")->unit_roundoff(), 0x1p-11);
  EXPECT_EQ(find_precision("f8"), nullptr);
}

TEST(Precision, RoundingToF32IsTheMachines) {
  Random random(3);
  const PrecisionClass& f32 = *find_precision("f32");
  for (int i = 0; i < 100000; ++i) {
    const double value = std::ldexp(random.gaussian(), static_cast<int>(random.next() % 200) - 120);
    ASSERT_EQ(round_to_class(value, f32), static_cast<double>(static_cast<float>(value)));
  }
  EXPECT_EQ(round_to_class(0x1.8p-149, f32), 0x1p-148);  // a subnormal tie goes to even
}

TEST(Precision, EveryBf16IsItsOwnRounding) {
  const PrecisionClass& bf16 = *find_precision("bf16");
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const double value = std::bit_cast<float>(bits << 16);
    if (std::isfinite(value)) {
      ASSERT_EQ(round_to_class(value, bf16), value);
      ASSERT_EQ(round_stochastic(value, bf16, 0.999), value);
    }
  }
}

TEST(Precision, StochasticRoundingIsUnbiased) {
  const PrecisionClass& bf16 = *find_precision("bf16");
  Random random(5);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double rounded = round_stochastic(1.002, bf16, random.uniform());
    ASSERT_TRUE(rounded == 1.0 || rounded == 1.0078125);
    sum += rounded;
  }
  EXPECT_NEAR(sum / 100000, 1.002, 1e-4);
}

TEST(Precision, GaussianHasUnitVariance) {
  Random random(1);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = random.gaussian();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 100000, 0, 0.02);
  EXPECT_NEAR(squares / 100000, 1, 0.03);
}

}  // namespace
}  // namespace assay::conformance
