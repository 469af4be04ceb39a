// SPDX-License-Identifier: Apache-2.0
// What encoders do to rows on a device, in every order of execution, against their formulas in
// fp64.
#include "optimized/kernels/encoder_rows_cuda.h"

#include <functional>

#include "optimized/testing/every_order.h"

namespace assay::cuda {
namespace {

class EncoderRowsCuda : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(EncoderRowsCuda);

constexpr double kLimit = 1e-6;
constexpr std::size_t kRows = 7;
const std::size_t kWidths[] = {1, 33, 300};

using Formula = std::function<double(std::size_t row, std::size_t column)>;

std::vector<double> by(const Formula& formula, std::size_t columns, std::size_t rows = kRows) {
  std::vector<double> y;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < columns; ++i) {
      y.push_back(formula(r, i));
    }
  }
  return y;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

TEST_P(EncoderRowsCuda, NumberByNumber) {
  for (const std::size_t n : kWidths) {
    const auto x = normal_values(kRows * n, 1), g = normal_values(kRows * n, 2);
    const auto bias = normal_values(n, 3), scale = normal_values(n, 4);
    Stream s;
    Floats out(x.size()), gate(g), add(bias), times(scale);
    const auto v = [&](std::size_t r, std::size_t i) { return double(x[r * n + i]); };
    const auto expect = [&](const std::function<void(const DeviceRows&)>& work,
                            const Formula& formula) {
      Floats in(x);
      work(in.rows(kRows));
      EXPECT_LE(worst(in.values(), by(formula, n)), kLimit) << n;
    };
    expect([&](const DeviceRows& a) { clamp_rows(s, a, -0.5F, 0.25F, a); },
           [&](auto r, auto i) { return std::min(std::max(v(r, i), -0.5), 0.25); });
    expect([&](const DeviceRows& a) { shift_scale(s, a, 0.5F, 2, a); },
           [&](auto r, auto i) { return 2 * (v(r, i) - 0.5); });
    expect([&](const DeviceRows& a) { standardize(s, a, add.data(), times.data()); },
           [&](auto r, auto i) { return (v(r, i) - double(bias[i])) * double(scale[i]); });
    expect([&](const DeviceRows& a) { relu(s, a); },
           [&](auto r, auto i) { return std::max(v(r, i), 0.0); });
    expect([&](const DeviceRows& a) { silu(s, a); },
           [&](auto r, auto i) { return v(r, i) * sigmoid(v(r, i)); });
    expect([&](const DeviceRows& a) { gate_by_sigmoid(s, a, gate.rows(kRows), a); },
           [&](auto r, auto i) { return v(r, i) * sigmoid(double(g[r * n + i])); });
    expect([&](const DeviceRows& a) { add_to_each(s, a, add.data()); },
           [&](auto r, auto i) { return v(r, i) + double(bias[i]); });
    expect([&](const DeviceRows& a) { scale_columns(s, a, times.data(), 1, 3); },
           [&](auto r, auto i) { return 3 * v(r, i) * double(scale[0]); });
    expect([&](const DeviceRows& a) { scale_columns(s, a, nullptr, 1, 3); },
           [&](auto r, auto i) { return 3 * v(r, i); });
  }
}

TEST_P(EncoderRowsCuda, ClampsLeaveNans) {
  Floats in(std::vector<float>{NAN, 5, -5});
  Stream s;
  clamp_rows(s, in.rows(1), -1, 1, in.rows(1));
  EXPECT_TRUE(std::isnan(in.values()[0]));
  EXPECT_EQ(in.values()[1], 1);
  EXPECT_EQ(in.values()[2], -1);
}

// Also of nearly flat rows far from zero, where one mean would be off by as much as they deviate.
TEST_P(EncoderRowsCuda, LayerNorm) {
  for (const std::size_t n : {3, 64, 700}) {
    for (const float offset : {0.0F, 1000.0F}) {
      auto x = normal_values(kRows * n, 5);
      for (float& value : x) {
        value += offset;
      }
      const auto weight = normal_values(n, 6), bias = normal_values(n, 7);
      for (const bool biased : {true, false}) {
        Floats in(x), w(weight), b(bias);
        Stream s;
        layer_norm(s, in.rows(kRows), w.data(), biased ? b.data() : nullptr, 1e-5F, in.rows(kRows));
        std::vector<double> expected;
        for (std::size_t r = 0; r < kRows; ++r) {
          double mean = 0, variance = 0;
          for (std::size_t i = 0; i < n; ++i) {
            mean += double(x[r * n + i]) / double(n);
          }
          for (std::size_t i = 0; i < n; ++i) {
            variance += std::pow(double(x[r * n + i]) - mean, 2) / double(n);
          }
          for (std::size_t i = 0; i < n; ++i) {
            expected.push_back(double(weight[i]) * (double(x[r * n + i]) - mean) /
                                   std::sqrt(variance + 1e-5) +
                               (biased ? double(bias[i]) : 0));
          }
        }
        EXPECT_LE(noted("layer_norm", worst(in.values(), expected), offset == 0 ? kLimit : 1e-4),
                  offset == 0 ? kLimit : 1e-4)
            << n;
      }
    }
  }
}

TEST_P(EncoderRowsCuda, PiecesOfAHeadTurnByTheirAxis) {
  const std::size_t axes = 2, pairs = 3, heads = 5, width = heads * axes * 2 * pairs;
  const auto x = normal_values(kRows * width, 8), c = normal_values(kRows * axes * pairs, 9),
             si = normal_values(kRows * axes * pairs, 10);
  Floats in(x), cos(c), sin(si);
  Stream s;
  rotate_axes(s, in.rows(kRows), cos.data(), sin.data(), axes, pairs);
  EXPECT_LE(worst(in.values(), by(
                                   [&](std::size_t r, std::size_t i) {
                                     const std::size_t piece = i / (2 * pairs);
                                     const std::size_t p = i % (2 * pairs) % pairs;
                                     const std::size_t angle =
                                         (r * axes + piece % axes) * pairs + p;
                                     const std::size_t first = r * width + piece * 2 * pairs + p;
                                     const double a = double(x[first]);
                                     const double b = double(x[first + pairs]);
                                     return i % (2 * pairs) < pairs
                                                ? a * double(c[angle]) - b * double(si[angle])
                                                : b * double(c[angle]) + a * double(si[angle]);
                                   },
                                   width)),
            kLimit);
}

TEST_P(EncoderRowsCuda, PoolsAndPoints) {
  const auto x = normal_values(kRows * 40, 11);
  const std::vector<int> members = {6, 0, 3, 3, 1, 2};
  Floats in(x), cells(2 * 40);
  Ints on(members);
  Stream s;
  pool(s, in.rows(kRows), on.data(), 3, 0.5F, cells.rows(2));
  const Formula pooled = [&](std::size_t r, std::size_t i) {
    double sum = 0;
    for (std::size_t m = 0; m < 3; ++m) {
      sum += double(x[static_cast<std::size_t>(members[r * 3 + m]) * 40 + i]);
    }
    return sum / 2;
  };
  EXPECT_LE(noted("pool", worst(cells.values(), by(pooled, 40, 2)), kLimit), kLimit);

  const std::size_t times = 5, frequencies = 7, channels = 2, across = 4, first = 3, count = 9;
  const auto points = normal_values(times * frequencies * channels, 12);
  Floats from(points), gathered(count * 9 * channels);
  gather_points(s, {from.rows(times * frequencies), times, frequencies, first},
                gathered.rows(count));
  const Formula point = [&](std::size_t r, std::size_t i) {
    const auto t = static_cast<int>(2 * ((first + r) / across) + i / channels / 3) - 1;
    const auto f = static_cast<int>(2 * ((first + r) % across) + i / channels % 3) - 1;
    const bool inside =
        t >= 0 && t < static_cast<int>(times) && f >= 0 && f < static_cast<int>(frequencies);
    return inside ? double(points[(static_cast<std::size_t>(t) * frequencies +
                                   static_cast<std::size_t>(f)) *
                                      channels +
                                  i % channels])
                  : 0.0;
  };
  EXPECT_LE(worst(gathered.values(), by(point, 9 * channels, count)), 0);
}

TEST_P(EncoderRowsCuda, ADepthwiseConvolutionLooksBack) {
  const std::size_t n = 40, taps = 5;
  const auto x = normal_values(kRows * n, 13), w = normal_values(taps * n, 14);
  Floats in(x), weight(w), out(x.size());
  Stream s;
  depthwise_conv1d(s, in.rows(kRows), weight.data(), taps, out.rows(kRows));
  const Formula formula = [&](std::size_t r, std::size_t i) {
    double sum = 0;
    for (std::size_t j = 0; j < taps; ++j) {
      sum += r + j + 1 < taps ? 0 : double(w[j * n + i]) * double(x[(r + j + 1 - taps) * n + i]);
    }
    return sum;
  };
  EXPECT_LE(noted("depthwise_conv1d", worst(out.values(), by(formula, n)), kLimit), kLimit);
}

TEST_P(EncoderRowsCuda, LocalAttention) {
  const std::size_t heads = 3, width = 8, keys = 4, n = heads * width;
  const auto q = normal_values(kRows * n, 15), k = normal_values(kRows * n, 16),
             v = normal_values(kRows * n, 17), places = normal_values((keys + 1) * n, 18);
  Floats on_q(q), on_k(k), on_v(v), on_places(places), scores(kRows * heads * keys), out(q.size());
  const LocalWindow window{heads, width, keys};
  Stream s;
  local_scores(s, window, on_q.rows(kRows), on_k.rows(kRows), on_places.rows(keys + 1),
               scores.rows(kRows));
  const Formula score = [&](std::size_t t, std::size_t i) {
    const std::size_t w = i % keys;
    double sum = 0;
    for (std::size_t d = i / keys * width; w <= t && d < (i / keys + 1) * width; ++d) {
      sum +=
          double(q[t * n + d]) * (double(k[(t - w) * n + d]) + double(places[(keys - w) * n + d]));
    }
    return sum;
  };
  EXPECT_LE(noted("local_scores", worst(scores.values(), by(score, heads * keys)), kLimit), kLimit);
  local_softmax(s, window, scores.rows(kRows));
  const Formula prob = [&](std::size_t t, std::size_t i) {
    double all = 0;
    for (std::size_t w = 0; w < keys && w <= t; ++w) {
      all += std::exp(score(t, i / keys * keys + w));
    }
    return i % keys <= t ? std::exp(score(t, i)) / all : 0.0;
  };
  EXPECT_LE(noted("local_softmax", worst(scores.values(), by(prob, heads * keys)), 2 * kLimit),
            2 * kLimit);
  local_mix(s, window, scores.rows(kRows), on_v.rows(kRows), out.rows(kRows));
  const Formula mix = [&](std::size_t t, std::size_t i) {
    double sum = 0;
    for (std::size_t w = 0; w < keys && w <= t; ++w) {
      sum += prob(t, i / width * keys + w) * double(v[(t - w) * n + i]);
    }
    return sum;
  };
  EXPECT_LE(noted("local_mix", worst(out.values(), by(mix, n)), 2 * kLimit), 2 * kLimit);
}

}  // namespace
}  // namespace assay::cuda
