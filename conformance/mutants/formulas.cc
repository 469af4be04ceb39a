// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/formulas.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "conformance/mutants/mutant.h"
#include "reference/family/base/number_formats.h"

namespace assay::conformance {
namespace {

double mean_of(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) {
    sum += value;
  }
  return sum / static_cast<double>(x.size());
}

}  // namespace

Numbers rms_norm(std::span<const double> x, std::size_t width, std::span<const double> weight,
                 const NormOptions& options) {
  Numbers y(x.begin(), x.end());
  if (width == 0 || (!weight.empty() && weight.size() != width) || x.size() % width != 0) {
    throw NotHere();
  }
  for (std::size_t start = 0; start < y.size(); start += width) {
    const std::span<double> row(y.data() + start, width);
    const double mean = options.centred ? mean_of(row) : 0;
    double sum = 0;
    for (double& value : row) {
      value -= mean;
      sum += value * value;
    }
    const double square = sum / static_cast<double>(width);
    const double root = options.place == EpsPlace::kInside ? std::sqrt(square + options.eps)
                                                           : std::sqrt(square) + options.eps;
    for (std::size_t d = 0; d < width; ++d) {
      row[d] = row[d] / root * (weight.empty() ? 1 : weight[d] + options.offset);
    }
  }
  return y;
}

Numbers linear(std::span<const double> x, const Matrix& w) {
  const std::size_t in = w.cols();
  const std::size_t out = w.rows();
  if (in == 0 || x.size() % in != 0) {
    throw NotHere();
  }
  Numbers y;
  y.reserve(x.size() / in * out);
  for (std::size_t start = 0; start < x.size(); start += in) {
    for (std::size_t o = 0; o < out; ++o) {
      const double* weight = w.values.data() + o * in;
      double sum = 0;
      for (std::size_t i = 0; i < in; ++i) {
        sum += x[start + i] * weight[i];
      }
      y.push_back(sum);
    }
  }
  return y;
}

Numbers map(std::span<const double> x, const std::function<double(double)>& f) {
  Numbers y(x.size());
  std::ranges::transform(x, y.begin(), f);
  return y;
}

Numbers map2(std::span<const double> x, std::span<const double> y,
             const std::function<double(double, double)>& f) {
  if (x.size() != y.size()) {
    throw NotHere();
  }
  Numbers z(x.size());
  std::ranges::transform(x, y, z.begin(), f);
  return z;
}

Numbers added(std::span<const double> x, std::span<const double> y) {
  return map2(x, y, [](double a, double b) { return a + b; });
}

Numbers scaled(std::span<const double> x, double by) {
  return map(x, [by](double a) { return a * by; });
}

double gelu_tanh(double x, double cubic) {
  const double root = std::sqrt(2 * std::numbers::inv_pi);
  return 0.5 * x * (1 + std::tanh(root * (x + cubic * x * x * x)));
}

double gelu_erf(double x) {
  return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

double quick_gelu(double x) {
  return x * sigmoid(1.702 * x);
}

double silu(double x) {
  return x * sigmoid(x);
}

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

double capped(double x, double cap) {
  return std::tanh(x / cap) * cap;
}

double to_bf16(double x) {
  return static_cast<double>(round_to_bf16(static_cast<float>(x)));
}

double to_f16(double x) {
  return static_cast<double>(float_from_f16(f16_from_float(static_cast<float>(x))));
}

Numbers rotated(std::span<const double> x, std::size_t rows, std::size_t heads, std::size_t width,
                Pairs pairs, const std::function<double(std::size_t t, std::size_t c)>& angle) {
  Numbers y(x.begin(), x.end());
  const std::size_t half = width / 2;
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t c = 0; c < half; ++c) {
      const double turn = angle(t, c);
      if (std::isnan(turn)) {
        continue;
      }
      const double cosine = std::cos(turn);
      const double sine = std::sin(turn);
      for (std::size_t n = 0; n < heads; ++n) {
        const std::size_t start = (t * heads + n) * width;
        const std::size_t a = start + (pairs == Pairs::kHalves ? c : 2 * c);
        const std::size_t b = pairs == Pairs::kHalves ? a + half : a + 1;
        y[a] = x[a] * cosine - x[b] * sine;
        y[b] = x[b] * cosine + x[a] * sine;
      }
    }
  }
  return y;
}

Numbers softmax(std::span<const double> x, std::size_t width,
                const std::function<bool(std::size_t row, std::size_t s)>& visible) {
  Numbers y(x.size(), 0);
  for (std::size_t row = 0; width > 0 && (row + 1) * width <= x.size(); ++row) {
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t s = 0; s < width; ++s) {
      largest = visible(row, s) ? std::max(largest, x[row * width + s]) : largest;
    }
    double sum = 0;
    for (std::size_t s = 0; s < width; ++s) {
      if (visible(row, s)) {
        y[row * width + s] = std::exp(x[row * width + s] - largest);
        sum += y[row * width + s];
      }
    }
    for (std::size_t s = 0; sum > 0 && s < width; ++s) {
      y[row * width + s] /= sum;
    }
  }
  return y;
}

}  // namespace assay::conformance
