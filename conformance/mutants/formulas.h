// SPDX-License-Identifier: Apache-2.0
// The formulas of the model over plain rows of fp64 numbers, with the knobs that mistakes turn.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "conformance/compare/other_gelu.h"  // gelu_tanh

namespace assay::conformance {

// A weight: rows of `cols` values; a vector is one row.
struct Matrix {
  std::vector<std::size_t> shape;
  std::vector<double> values;

  std::size_t rows() const { return cols() == 0 ? 0 : values.size() / cols(); }
  std::size_t cols() const { return shape.empty() ? 1 : shape.back(); }
  std::span<const double> row(std::size_t r) const {
    return std::span(values).subspan(r * cols(), cols());
  }
};

using Numbers = std::vector<double>;

enum class EpsPlace { kInside, kOutside };

// Rows of `width` divided by sqrt(mean square + eps), times weight + offset (no weight: 1).
struct NormOptions {
  double eps = 1e-6;
  double offset = 0;
  EpsPlace place = EpsPlace::kInside;
  bool centred = false;  // LayerNorm: the mean is taken away first
};
Numbers rms_norm(std::span<const double> x, std::size_t width, std::span<const double> weight,
                 const NormOptions& options);

// Rows of x times the transposed matrix.
Numbers linear(std::span<const double> x, const Matrix& w);

// Rows of x, each cut into `rows_of` values.
Numbers map(std::span<const double> x, const std::function<double(double)>& f);
Numbers map2(std::span<const double> x, std::span<const double> y,
             const std::function<double(double, double)>& f);
Numbers added(std::span<const double> x, std::span<const double> y);
Numbers scaled(std::span<const double> x, double by);

double gelu_tanh(double x, double cubic);
double gelu_erf(double x);
double quick_gelu(double x);
double silu(double x);
double sigmoid(double x);
double softplus(double x);
double capped(double x, double cap);
double to_bf16(double x);
double to_f16(double x);

// How channel pairs turn.
enum class Pairs { kHalves, kNeighbours };

// x [T, N, H] turned by angle(t, c) for each channel pair c of `pairs`; a pair without an angle
// (NaN) stays.
Numbers rotated(std::span<const double> x, std::size_t rows, std::size_t heads, std::size_t width,
                Pairs pairs, const std::function<double(std::size_t t, std::size_t c)>& angle);

// Rows of scores, `width` each, to probabilities; hidden entries (visible false) become 0.
Numbers softmax(std::span<const double> x, std::size_t width,
                const std::function<bool(std::size_t row, std::size_t s)>& visible);

}  // namespace assay::conformance
