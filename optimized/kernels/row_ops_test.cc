// SPDX-License-Identifier: Apache-2.0
// Row operations on every instruction set against fp64, within the limits of tolerance 11.4, for
// every length and every place in memory.
#include "optimized/kernels/row_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "optimized/testing/every_target.h"
#include "optimized/testing/test_numbers.h"
#include "optimized/testing/tolerance.h"

namespace assay::cpu {
namespace {

class RowOps : public EveryTarget {};
ASSAY_ON_EVERY_TARGET(RowOps);

constexpr double u = kRounding;

std::vector<float> values_of(DataSet set, std::size_t count, std::uint64_t seed) {
  Numbers numbers(seed);
  return activation_row(set, numbers, count, 30);
}

// Every x of one sign and exponent range, densely: 2^-40 to 2^most.
std::vector<float> all_magnitudes(double most) {
  Numbers numbers(7);
  std::vector<float> x = {0.0F, -0.0F};
  for (double e = -40; e < most; e += 0.001) {
    const double m = std::exp2(e) * (1 + 1e-3 * numbers.uniform());
    x.push_back(static_cast<float>(m));
    x.push_back(static_cast<float>(-m));
  }
  return x;
}

// `work` on rows of 1 to 70 values at every alignment: equal to what it gives for each value of a
// long row, and nothing beside the row is written.
void expect_tails(const std::function<void(float*, std::size_t)>& work) {
  const auto x = values_of(DataSet::kPlanted, 70, 3);
  std::vector<float> whole = x;
  whole.resize(128, 1.0F);
  work(whole.data(), 128);
  for (std::size_t count = 1; count <= 70; ++count) {
    Guarded<float> y(count, count % 16);
    std::copy_n(x.data(), count, y.data());
    work(y.data(), count);
    ASSERT_TRUE(y.intact()) << count;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(y.data()[i], whole[i]) << count << " values, the one at " << i;
    }
  }
}

TEST_P(RowOps, TailsAreLikeTheRest) {
  const auto other = values_of(DataSet::kPlanted, 129, 4);
  expect_tails([](float* x, std::size_t n) { gelu(x, n, x); });
  expect_tails([](float* x, std::size_t n) { softcap(x, n, 30); });
  expect_tails([&](float* x, std::size_t n) { add_to(x, other.data() + 1, n); });
  expect_tails([&](float* x, std::size_t n) { multiply_by(x, other.data() + 1, n); });
  expect_tails([](float* x, std::size_t n) { scale_by(x, 0.7F, n); });
}

TEST_P(RowOps, Gelu) {
  const double root = std::sqrt(2 / std::numbers::pi);
  const auto x = all_magnitudes(20);
  std::vector<float> y(x.size());
  gelu(x.data(), x.size(), y.data());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = double(x[i]);
    const double inner = root * (v + 0.044715 * v * v * v);
    // tanh in two halves, so that fp64 does not cancel
    const double expected = v / (1 + std::exp(-2 * inner));
    const double off = std::abs(double(y[i]) - expected);
    expect_within("gelu", off, 4 * u * std::abs(v));
    if (v > 0) {
      EXPECT_LE(off, 8 * u * expected) << v;  // 4 ulp
    }
    worst = v == 0 ? worst : std::max(worst, off / (u * std::abs(v)));
  }
  RecordProperty("worst", std::to_string(worst));
  for (const float far : {1e10F, 1e20F, 3e38F}) {
    float both[] = {far, -far};
    gelu(both, 2, both);
    EXPECT_EQ(both[0], far);
    EXPECT_LE(std::abs(double(both[1])), 4 * u * double(far));
  }
}

TEST_P(RowOps, Softcap) {
  for (const double cap : {30.0, 50.0, 1.0}) {
    const auto x = all_magnitudes(12);
    std::vector<float> y = x;
    softcap(y.data(), y.size(), cap);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = cap * std::tanh(double(x[i]) / cap);
      expect_within("softcap", std::abs(double(y[i]) - expected), 4 * u * std::abs(expected) + u);
    }
  }
}

TEST_P(RowOps, SumsAndProductsOfElementsRoundOnce) {
  for (const std::size_t count : {1, 3, 16, 33, 257}) {
    const auto x = values_of(DataSet::kPlanted, count, count);
    const auto start = values_of(DataSet::kSameSign, count, count + 1);
    auto sum = start;
    auto product = start;
    auto scaled = start;
    auto added = start;
    add_to(sum.data(), x.data(), count);
    multiply_by(product.data(), x.data(), count);
    scale_by(scaled.data(), 0.3F, count);
    add_scaled(added.data(), x.data(), 0.3F, count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(sum[i], start[i] + x[i]);
      EXPECT_EQ(product[i], start[i] * x[i]);
      EXPECT_EQ(scaled[i], start[i] * 0.3F);
      const double exact = double(start[i]) + double(x[i]) * double(0.3F);
      expect_within("add_scaled", std::abs(double(added[i]) - exact),
                    u * (std::abs(exact) + std::abs(double(x[i]) * 0.3)));
    }
  }
}

void expect_norm(const std::vector<float>& x, bool scaled, const std::string& words) {
  const std::size_t count = x.size();
  const auto scale = values_of(DataSet::kPlanted, count, 17);
  Guarded<float> y(count, 3);
  rms_norm(x.data(), scaled ? scale.data() : nullptr, 1e-6, count, y.data());
  double squares = 0;
  for (const float value : x) {
    squares += double(value) * double(value);
  }
  const double factor = 1 / std::sqrt(squares / static_cast<double>(count) + 1e-6);
  // half of the sum's error, and three roundings
  const double limit = (strict_limit(count, 2) / 2 + 3) * u;
  for (std::size_t i = 0; i < count; ++i) {
    const double expected = double(x[i]) * factor * (scaled ? double(scale[i]) : 1);
    const double off = std::abs(double(y.data()[i]) - expected);
    ASSERT_LE(off, limit * std::abs(expected) + 1e-44) << words << " " << count << " at " << i;
    expect_within("rms_norm", off, limit * std::abs(expected) + 1e-44);
  }
  EXPECT_TRUE(y.intact()) << words;
}

TEST_P(RowOps, RmsNorm) {
  for (const bool scaled : {false, true}) {
    for (std::size_t count = 1; count <= 70; ++count) {
      expect_norm(values_of(DataSet::kPlanted, count, count), scaled, "any");
    }
    for (const std::size_t count : {256, 1536, 5376}) {
      for (const DataSet set :
           {DataSet::kPlanted, DataSet::kSameSign, DataSet::kCancel, DataSet::kIntegers}) {
        expect_norm(values_of(set, count, 5), scaled, name_of(set));
      }
      for (const float size : {1e-30F, 1e-18F, 1e-10F, 1e10F, 1e17F}) {
        auto x = values_of(DataSet::kPlanted, count, 6);
        scale_by(x.data(), size, count);
        expect_norm(x, scaled, std::to_string(size));
      }
    }
    expect_norm(std::vector<float>(100, 0.0F), scaled, "zeros");
  }
}

TEST_P(RowOps, NormsOfWhatIsNoNumberAreNone) {
  for (const std::size_t at : {0, 17, 99}) {
    auto x = values_of(DataSet::kPlanted, 100, 8);
    x[at] = std::numeric_limits<float>::quiet_NaN();
    rms_norm(x.data(), nullptr, 1e-6, 100, x.data());
    for (const float value : x) {
      EXPECT_TRUE(std::isnan(value));
    }
  }
  float x[] = {std::numeric_limits<float>::quiet_NaN(), 1};
  gelu(x, 2, x);
  EXPECT_TRUE(std::isnan(x[0]) && std::isfinite(x[1]));
  softcap(x, 2, 30);
  EXPECT_TRUE(std::isnan(x[0]) && std::isfinite(x[1]));
  float scores[] = {1, std::numeric_limits<float>::quiet_NaN(), 2};
  softmax(scores, 3);
  EXPECT_TRUE(std::isnan(scores[0]) && std::isnan(scores[1]) && std::isnan(scores[2]));
}

TEST_P(RowOps, Rope) {
  for (std::size_t half = 1; half <= 70; ++half) {
    const std::size_t heads = 1 + half % 3;
    const auto x = values_of(DataSet::kPlanted, heads * 2 * half, half);
    std::vector<float> cos(half);
    std::vector<float> sin(half);
    for (std::size_t c = 0; c < half; ++c) {
      cos[c] = static_cast<float>(std::cos(0.37 * static_cast<double>(c)));
      sin[c] = static_cast<float>(std::sin(0.37 * static_cast<double>(c)));
    }
    Guarded<float> y(x.size(), half % 16);
    std::copy(x.begin(), x.end(), y.data());
    rope(y.data(), heads, half, cos.data(), sin.data());
    ASSERT_TRUE(y.intact());
    for (std::size_t n = 0; n < heads; ++n) {
      for (std::size_t c = 0; c < half; ++c) {
        const std::size_t at = 2 * half * n + c;
        const double a = double(x[at]);
        const double b = double(x[at + half]);
        const double co = double(cos[c]);
        const double si = double(sin[c]);
        const double unit = 2 * u;
        expect_within("rope", std::abs(double(y.data()[at]) - (a * co - b * si)),
                      unit * (std::abs(a * co) + std::abs(b * si)));
        expect_within("rope", std::abs(double(y.data()[at + half]) - (b * co + a * si)),
                      unit * (std::abs(b * co) + std::abs(a * si)));
      }
    }
  }
}

TEST_P(RowOps, Softmax) {
  for (const std::size_t count : {1, 2, 8, 31, 128}) {
    for (const float size : {1e-3F, 1.0F, 30.0F, 1e4F, 1e30F}) {
      auto x = values_of(DataSet::kPlanted, count, count);
      scale_by(x.data(), size, count);
      std::vector<float> y = x;
      softmax(y.data(), count);
      const double most = double(*std::ranges::max_element(x));
      double sum = 0;
      for (const float value : x) {
        sum += std::exp(double(value) - most);
      }
      for (std::size_t i = 0; i < count; ++i) {
        const double expected = std::exp(double(x[i]) - most) / sum;
        const double distance = std::min(100.0, most - double(x[i]));
        expect_within("softmax", std::abs(double(y[i]) - expected),
                      (6 + distance + std::sqrt(double(count))) * u * expected + 1e-37);
      }
    }
  }
}

}  // namespace
}  // namespace assay::cpu
