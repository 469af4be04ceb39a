// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/arithmetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace assay::conformance {
namespace {

constexpr float kLog2E = 1.44269504F;
constexpr std::size_t kLaneCount = 8;
constexpr std::size_t kTile = 32;
constexpr std::size_t kTileRows = 4;
constexpr std::size_t kStride = 7;  // of shuffled sums

float pairwise(const Arithmetic& a, const float* x, const float* y, std::size_t n) {
  if (n <= 4) {
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum = a.add_product(x[i], y[i], sum);
    }
    return sum;
  }
  return pairwise(a, x, y, n / 2) + pairwise(a, x + n / 2, y + n / 2, n - n / 2);
}

float by_lanes(const Arithmetic& a, const float* x, const float* y, std::size_t n) {
  std::array<float, kLaneCount> lanes{};
  for (std::size_t i = 0; i < n; ++i) {
    lanes[i % kLaneCount] = a.add_product(x[i], y[i], lanes[i % kLaneCount]);
  }
  return std::accumulate(lanes.begin(), lanes.end(), 0.0F);
}

float by_blocks(const Arithmetic& a, const float* x, const float* y, std::size_t n,
                std::size_t block) {
  float sum = 0;
  for (std::size_t start = 0; start < n; start += block) {
    const std::size_t count = std::min(block, n - start);
    sum += by_lanes(a, x + start, y + start, count);
  }
  return sum;
}

float wide(const float* x, const float* y, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
  return static_cast<float>(sum);
}

float one_by_one(const Arithmetic& a, const float* x, const float* y, std::size_t n) {
  const bool shuffled = a.order == Order::kShuffled && n % kStride != 0;
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t at = a.order == Order::kDescending ? n - 1 - i
                           : shuffled                    ? i * kStride % n
                                                         : i;
    sum = a.add_product(x[at], y[at], sum);
  }
  return sum;
}

// exp(x) = 2^n exp(r), r in +-log(2)/2, with a minimax-like series of seven terms.
float polynomial_exp(float x) {
  if (x < -87.0F) {
    return 0;
  }
  const float n = std::nearbyint(x * kLog2E);
  float r = std::fma(n, -0.693145752F, x);  // log 2 in two parts
  r = std::fma(n, -1.42860677e-6F, r);
  float p = 1.0F / 5040;
  for (const float term : {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F}) {
    p = std::fma(p, r, term);
  }
  return std::ldexp(p, static_cast<int>(n));
}

}  // namespace

Floats narrowed(std::span<const double> x) {
  return {x.begin(), x.end()};
}

std::vector<std::string> Arithmetic::words() const {
  static const std::array<const char*, kOrders> kSums = {
      "ascending", "descending", "pairwise", "lane", "shuffled", "tiled", "split", "wide"};
  static const std::array<const char*, kNormForms> kNorms = {
      "", "norms by a reciprocal", "norms, weight first", "norms, weight folded"};
  static const std::array<const char*, kExpForms> kExps = {
      "", "exp by powers of two", "exp with the maximum folded in", "exp by a polynomial"};
  static const std::array<const char*, kGeluForms> kGelus = {"", "GELU by a sigmoid",
                                                             "GELU factored", "GELU's tanh by exp"};
  static const std::array<const char*, kSoftmaxForms> kSoft = {
      "", "softmax by a reciprocal", "online softmax", "online softmax, key by key"};
  std::vector<std::string> all = {std::string(kSums.at(static_cast<std::size_t>(order))) + " sums"};
  const auto add = [&](const std::string& what) {
    if (!what.empty()) {
      all.push_back(what);
    }
  };
  add(edge_rows ? "edge rows by another kernel" : "");
  add(multiply_add ? "fused multiply-adds" : "");
  add(kNorms.at(static_cast<std::size_t>(norm)));
  add(kExps.at(static_cast<std::size_t>(exp)));
  add(kGelus.at(static_cast<std::size_t>(gelu)));
  add(kSoft.at(static_cast<std::size_t>(softmax)));
  add(narrow_angles ? "angles in fp32" : "");
  add(experts_by_index ? "experts added by index" : "");
  return all;
}

float Arithmetic::add_product(float x, float y, float sum) const {
  return multiply_add ? std::fma(x, y, sum) : x * y + sum;
}

float Arithmetic::dot(const float* x, const float* y, std::size_t n) const {
  switch (order) {
    case Order::kPairwise:
      return pairwise(*this, x, y, n);
    case Order::kLanes:
      return by_lanes(*this, x, y, n);
    case Order::kTiles:
      return by_blocks(*this, x, y, n, kTile);
    case Order::kSplit:
      return by_blocks(*this, x, y, n, (n + 1) / 2);
    case Order::kWide:
      return wide(x, y, n);
    default:
      return one_by_one(*this, x, y, n);
  }
}

Numbers Arithmetic::product(std::span<const double> x, const Matrix& w) const {
  const Floats rows = narrowed(x);
  const Floats weights = narrowed(w.values);
  const std::size_t in = w.cols();
  const std::size_t count = in == 0 ? 0 : rows.size() / in;
  Arithmetic edge = *this;
  edge.order = Order::kAscending;
  Numbers y;
  y.reserve(count * w.rows());
  for (std::size_t t = 0; t < count; ++t) {
    const bool at_edge = edge_rows && t >= count / kTileRows * kTileRows;
    for (std::size_t o = 0; o < w.rows(); ++o) {
      y.push_back((at_edge ? edge : *this).dot(rows.data() + t * in, weights.data() + o * in, in));
    }
  }
  return y;
}

Numbers Arithmetic::rms_norm(std::span<const double> input, std::size_t width,
                             std::span<const double> weight, double eps) const {
  Numbers y(input.size());
  const Floats x = narrowed(input);
  const Floats w = narrowed(weight);
  for (std::size_t start = 0; start + width <= x.size(); start += width) {
    const float* row = x.data() + start;
    const float square = dot(row, row, width) / static_cast<float>(width);
    const float root = std::sqrt(square + static_cast<float>(eps));
    const float inverse = 1 / root;
    for (std::size_t d = 0; d < width; ++d) {
      const float by = w.empty() ? 1 : w[d];
      y[start + d] = norm == NormForm::kDivided       ? row[d] / root * by
                     : norm == NormForm::kReciprocal  ? row[d] * inverse * by
                     : norm == NormForm::kWeightFirst ? row[d] * by / root
                                                      : row[d] * (by * inverse);
    }
  }
  return y;
}

float Arithmetic::exponential(float x) const {
  switch (exp) {
    case ExpForm::kPowersOfTwo:
    case ExpForm::kFolded:
      return std::exp2(x * kLog2E);
    case ExpForm::kPolynomial:
      return x > 80 ? std::exp(x) : polynomial_exp(x);
    default:
      return std::exp(x);
  }
}

float Arithmetic::shifted_exp(float x, float largest) const {
  return exp == ExpForm::kFolded ? std::exp2(std::fma(x, kLog2E, -(largest * kLog2E)))
                                 : exponential(x - largest);
}

float Arithmetic::activated(float x) const {
  constexpr float kRoot = 0.79788456F;  // sqrt(2 / pi)
  constexpr float kCubic = 0.044715F;
  const float z = gelu == GeluForm32::kFactored ? x * (kRoot + kRoot * kCubic * x * x)
                                                : kRoot * (x + kCubic * x * x * x);
  switch (gelu) {
    case GeluForm32::kSigmoid:
    case GeluForm32::kFactored:
      return x / (1 + exponential(-2 * z));
    case GeluForm32::kExpRatio: {
      const float e = exponential(-2 * std::abs(z));
      return 0.5F * x * (1 + std::copysign((1 - e) / (1 + e), z));
    }
    default:
      return 0.5F * x * (1 + std::tanh(z));
  }
}

Floats Arithmetic::softmax_row(std::span<const float> scores,
                               const std::vector<char>& visible) const {
  const std::size_t block = softmax == SoftmaxForm::kBlocks  ? 3
                            : softmax == SoftmaxForm::kByKey ? 1
                                                             : scores.size();
  float largest = -std::numeric_limits<float>::infinity();
  float sum = 0;
  for (std::size_t start = 0; start < scores.size(); start += block) {
    const std::size_t end = std::min(start + block, scores.size());
    float now = largest;
    for (std::size_t s = start; s < end; ++s) {
      now = visible[s] != 0 ? std::max(now, scores[s]) : now;
    }
    sum = std::isinf(largest) ? 0 : sum * shifted_exp(largest, now);
    largest = now;
    for (std::size_t s = start; s < end; ++s) {
      sum += visible[s] != 0 ? shifted_exp(scores[s], largest) : 0;
    }
  }
  const float inverse = sum > 0 ? 1 / sum : 0;
  Floats y(scores.size(), 0);
  for (std::size_t s = 0; s < scores.size(); ++s) {
    if (visible[s] != 0 && sum > 0) {
      const float e = shifted_exp(scores[s], largest);
      y[s] = softmax == SoftmaxForm::kReciprocal ? e * inverse : e / sum;
    }
  }
  return y;
}

}  // namespace assay::conformance
