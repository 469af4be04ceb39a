// SPDX-License-Identifier: Apache-2.0
// Row operations of the encoders on every instruction set against fp64: every length around a
// vector, every place in memory, and nothing beside a row is written.
#include "optimized/kernels/encoder_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "optimized/testing/every_target.h"
#include "optimized/testing/test_numbers.h"
#include "optimized/testing/tolerance.h"

namespace assay::cpu {
namespace {

class EncoderRows : public EveryTarget {};
ASSAY_ON_EVERY_TARGET(EncoderRows);

constexpr double u = kRounding;
constexpr std::size_t kLengths[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 127, 129, 768, 1031};

std::vector<float> row_of(DataSet set, std::size_t count, std::uint64_t seed, double reach = 30) {
  Numbers numbers(seed);
  return activation_row(set, numbers, count, reach);
}

// work(x, y) on rows of each length at every alignment, in place and not; expected(i, x) within
// limit(i, x).
using Work = std::function<void(const float* x, std::size_t count, float* y)>;
using OfElement = std::function<double(const std::vector<float>& x, std::size_t i)>;

void expect_rows(const char* kernel, DataSet set, const Work& work, const OfElement& expected,
                 const OfElement& limit) {
  for (const std::size_t count : kLengths) {
    const auto x = row_of(set, count, count);
    Guarded<float> y(count, count % 16);
    work(x.data(), count, y.data());
    Guarded<float> in_place(count, (count + 5) % 16);
    std::copy_n(x.data(), count, in_place.data());
    work(in_place.data(), count, in_place.data());
    ASSERT_TRUE(y.intact() && in_place.intact()) << name_of(set) << ", " << count << " values";
    for (std::size_t i = 0; i < count; ++i) {
      const double off = std::abs(static_cast<double>(y.data()[i]) - expected(x, i));
      const double bound = limit(x, i);
      ASSERT_LE(off, bound) << name_of(set) << ", " << count << " values, the one at " << i << ": "
                            << x[i];
      expect_within(kernel, off, bound);
      ASSERT_EQ(y.data()[i], in_place.data()[i]);
    }
  }
}

double exact(const std::vector<float>& x, std::size_t i) {
  return static_cast<double>(x[i]);
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

TEST_P(EncoderRows, ClampIsExact) {
  for (const DataSet set : kDataSets) {
    expect_rows(
        "clamp_row", set,
        [](const float* x, std::size_t n, float* y) { clamp_row(x, -0.75F, 2, n, y); },
        [](const auto& x, std::size_t i) { return std::clamp(exact(x, i), -0.75, 2.0); },
        [](const auto&, std::size_t) { return 0.0; });
  }
}

TEST_P(EncoderRows, ReluIsExact) {
  expect_rows(
      "relu", DataSet::kPlanted,
      [](const float* x, std::size_t n, float* y) {
        std::copy_n(x, n, y);
        relu(y, n);
      },
      [](const auto& x, std::size_t i) { return std::max(exact(x, i), 0.0); },
      [](const auto&, std::size_t) { return 0.0; });
}

TEST_P(EncoderRows, SiluAndGate) {
  for (const DataSet set : kDataSets) {
    const auto limit = [](const auto& x, std::size_t i) {
      return 6 * u * std::abs(exact(x, i)) + 1e-37;
    };
    expect_rows(
        "silu", set, silu,
        [](const auto& x, std::size_t i) { return exact(x, i) * sigmoid(exact(x, i)); }, limit);
    const auto gates = row_of(DataSet::kPlanted,
                              2 * *std::max_element(std::begin(kLengths), std::end(kLengths)), 9);
    expect_rows(
        "gate_by_sigmoid", set,
        [&](const float* x, std::size_t n, float* y) { gate_by_sigmoid(x, &gates[n], n, y); },
        [&](const auto& x, std::size_t i) {
          return exact(x, i) * sigmoid(static_cast<double>(gates[x.size() + i]));
        },
        limit);
  }
}

TEST_P(EncoderRows, SiluFarFromZero) {
  std::vector<float> x = {1e4F, -1e4F, 3e38F, -3e38F, 88.0F, -88.0F};
  silu(x.data(), x.size(), x.data());
  EXPECT_EQ(x[0], 1e4F);
  EXPECT_EQ(x[2], 3e38F);
  EXPECT_EQ(x[4], 88.0F);
  EXPECT_NEAR(x[1], 0, 1e-30);
  EXPECT_NEAR(x[5], 0, 1e-30);
  EXPECT_LE(std::abs(x[3]), 6 * u * 3e38);  // no infinity over infinity
}

struct Norm {
  double mean = 0, deviation = 0;
};

Norm norm_of(const std::vector<float>& x, double eps) {
  Norm norm;
  for (const float value : x) {
    norm.mean += static_cast<double>(value) / static_cast<double>(x.size());
  }
  double variance = eps;
  for (const float value : x) {
    const double off = static_cast<double>(value) - norm.mean;
    variance += off * off / static_cast<double>(x.size());
  }
  norm.deviation = std::sqrt(variance);
  return norm;
}

TEST_P(EncoderRows, LayerNorm) {
  const auto weight = row_of(DataSet::kPlanted, 1031, 5);
  const auto bias = row_of(DataSet::kPlanted, 1031, 6);
  for (const bool biased : {false, true}) {
    for (const DataSet set : {DataSet::kSameSign, DataSet::kCancel, DataSet::kPlanted}) {
      expect_rows(
          "layer_norm", set,
          [&](const float* x, std::size_t n, float* y) {
            layer_norm(x, weight.data(), biased ? bias.data() : nullptr, 1e-5, n, y);
          },
          [&](const auto& x, std::size_t i) {
            const Norm norm = norm_of(x, 1e-5);
            const double y = static_cast<double>(weight[i]) * (exact(x, i) - norm.mean);
            return y / norm.deviation + (biased ? static_cast<double>(bias[i]) : 0);
          },
          [&](const auto& x, std::size_t i) {
            const Norm norm = norm_of(x, 1e-5);
            const double y = std::abs(static_cast<double>(weight[i])) *
                             (std::abs(exact(x, i)) + std::abs(norm.mean)) / norm.deviation;
            return (4 + strict_limit(x.size(), 4)) * u *
                   (y + std::abs(static_cast<double>(weight[i])) +
                    std::abs(static_cast<double>(bias[i])));
          });
    }
  }
}

// A nearly flat patch: the mean of one pass would be off by more than its deviations.
TEST_P(EncoderRows, LayerNormOfANearlyFlatRow) {
  constexpr std::size_t kCount = 6912;
  std::vector<float> x(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    x[i] = 0.7F + (i % 2 == 0 ? 0x1p-20F : -0x1p-20F);
  }
  const std::vector<float> ones(kCount, 1.0F);
  std::vector<float> y(kCount);
  layer_norm(x.data(), ones.data(), nullptr, 1e-14, kCount, y.data());
  const Norm norm = norm_of(x, 1e-14);
  for (std::size_t i = 0; i < kCount; ++i) {
    const double expected = (static_cast<double>(x[i]) - norm.mean) / norm.deviation;
    ASSERT_NEAR(static_cast<double>(y[i]), expected, 0.04) << i;  // half a unit of 0.7, 2^-25
  }
}

TEST_P(EncoderRows, DepthwiseConvolution) {
  for (const std::size_t count : kLengths) {
    constexpr std::size_t kPoints = 5;
    const auto weight = row_of(DataSet::kPlanted, kPoints * count, count);
    std::vector<std::vector<float>> rows;
    for (std::size_t j = 0; j < kPoints; ++j) {
      rows.push_back(row_of(DataSet::kCancel, count, 100 + j));
    }
    for (const std::size_t missing : {0, 2, 4}) {
      const float* pointers[kPoints];
      for (std::size_t j = 0; j < kPoints; ++j) {
        pointers[j] = j < missing ? nullptr : rows[j].data();
      }
      Guarded<float> y(count, count % 16);
      depthwise_conv1d(pointers, weight.data(), kPoints, count, y.data());
      ASSERT_TRUE(y.intact()) << count;
      for (std::size_t d = 0; d < count; ++d) {
        double sum = 0;
        double terms = 0;
        for (std::size_t j = missing; j < kPoints; ++j) {
          const double term =
              static_cast<double>(weight[j * count + d]) * static_cast<double>(rows[j][d]);
          sum += term;
          terms += std::abs(term);
        }
        const double off = std::abs(static_cast<double>(y.data()[d]) - sum);
        ASSERT_LE(off, kPoints * u * terms)
            << count << " channels, the one at " << d << ", " << missing << " rows missing";
        expect_within("depthwise_conv1d", off, kPoints * u * terms);
      }
    }
  }
}

// Heads of `width` numbers in rows of 3 heads; keys and places of the middle one.
TEST_P(EncoderRows, LocalScoresAndMix) {
  constexpr std::size_t kSeen = 7;
  for (const std::size_t width : {1UL, 3UL, 8UL, 16UL, 24UL, 128UL, 131UL}) {
    const std::size_t stride = 3 * width;
    const auto q = row_of(DataSet::kPlanted, width, 1);
    const auto keys = row_of(DataSet::kPlanted, stride * kSeen, 2);
    const auto places = row_of(DataSet::kPlanted, stride * kSeen, 3);
    Guarded<float> scores(kSeen, width % 16);
    const std::size_t newest = (kSeen - 1) * stride + width;
    local_scores(q.data(), {&keys[newest], stride}, {&places[newest], stride}, kSeen, width,
                 scores.data());
    Guarded<float> mix(width, 3);
    local_mix(scores.data(), {&keys[newest], stride}, kSeen, width, mix.data());
    ASSERT_TRUE(scores.intact() && mix.intact()) << width;
    std::vector<double> mixed(width);
    std::vector<double> terms(width);
    for (std::size_t w = 0; w < kSeen; ++w) {
      double sum = 0;
      double size = 0;
      const double given = static_cast<double>(scores.data()[w]);
      for (std::size_t i = 0; i < width; ++i) {
        const std::size_t at = newest - w * stride + i;
        const double key = static_cast<double>(keys[at]);
        sum += static_cast<double>(q[i]) * (key + static_cast<double>(places[at]));
        size += std::abs(static_cast<double>(q[i]) * key) +
                std::abs(static_cast<double>(q[i]) * static_cast<double>(places[at]));
        mixed[i] += given * key;
        terms[i] += std::abs(given * key);
      }
      expect_within("local_scores", std::abs(given - sum),
                    strict_limit(width, 4) * u * (size + std::abs(sum)));
    }
    for (std::size_t i = 0; i < width; ++i) {
      expect_within("local_mix", std::abs(static_cast<double>(mix.data()[i]) - mixed[i]),
                    kSeen * u * terms[i]);
    }
  }
}

}  // namespace
}  // namespace assay::cpu
