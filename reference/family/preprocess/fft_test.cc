// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/fft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "reference/family/testing/test_signals.h"

namespace assay {
namespace {

std::vector<double> some_samples(std::size_t count) {
  std::vector<double> x;
  for (std::uint32_t n = 0; n < count; ++n) {
    x.push_back(static_cast<double>(hashed(3, n)) / 4294967296.0 - 0.5);
  }
  return x;
}

// The definition; the angle is reduced first, so that it is as exact as a double can be.
Complex by_definition(const std::vector<double>& x, std::size_t size, std::size_t k) {
  Complex sum = 0;
  for (std::size_t n = 0; n < x.size(); ++n) {
    const auto turn = static_cast<double>(k * n % size) / static_cast<double>(size);
    sum += x[n] * std::polar(1.0, -2 * std::numbers::pi * turn);
  }
  return sum;
}

TEST(Fft, FourPointsByHand) {
  const std::vector<double> x = {1, 2, 3, 5};
  const auto y = real_fft(x, fft_roots(4));
  ASSERT_EQ(y.size(), 3u);
  EXPECT_NEAR(std::abs(y[0] - Complex(11, 0)), 0, 1e-15);
  EXPECT_NEAR(std::abs(y[1] - Complex(-2, 3)), 0, 1e-15);
  EXPECT_NEAR(std::abs(y[2] - Complex(-3, 0)), 0, 1e-15);
}

TEST(Fft, EqualsTheDefinition) {
  for (const std::size_t size : {2u, 8u, 64u, 512u}) {
    const auto x = some_samples(size);
    const auto y = real_fft(x, fft_roots(size));
    ASSERT_EQ(y.size(), size / 2 + 1);
    for (std::size_t k = 0; k < y.size(); ++k) {
      EXPECT_NEAR(std::abs(y[k] - by_definition(x, size, k)), 0, 1e-13) << size << ", " << k;
    }
  }
}

TEST(Fft, ZerosFollowShortInput) {
  const auto x = some_samples(320);
  auto padded = x;
  padded.resize(512);
  EXPECT_EQ(real_fft(x, fft_roots(512)), real_fft(padded, fft_roots(512)));
}

TEST(Fft, ATurnOfWholeCyclesIsOneBin) {
  std::vector<double> x;
  for (std::size_t n = 0; n < 512; ++n) {
    x.push_back(std::cos(2 * std::numbers::pi * static_cast<double>(7 * n % 512) / 512));
  }
  const auto y = real_fft(x, fft_roots(512));
  for (std::size_t k = 0; k < y.size(); ++k) {
    EXPECT_NEAR(std::abs(y[k]), k == 7 ? 256 : 0, 1e-12) << k;
  }
}

}  // namespace
}  // namespace assay
