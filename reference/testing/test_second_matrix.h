// SPDX-License-Identifier: Apache-2.0
// For tests: the little arithmetic that a second implementation needs, in doubles and plain loops.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace assay::second_implementation {

struct Matrix {
  std::size_t width;
  std::vector<double> values;
  Matrix(std::size_t rows, std::size_t columns) : width(columns), values(rows * columns) {}
  std::size_t rows() const { return values.size() / width; }
  double& operator()(std::size_t r, std::size_t c) { return values[r * width + c]; }
  double operator()(std::size_t r, std::size_t c) const { return values[r * width + c]; }
};

inline Matrix product(const Matrix& x, const std::vector<double>& w) {
  Matrix y(x.rows(), w.size() / x.width);
  for (std::size_t r = 0; r < y.rows(); ++r) {
    for (std::size_t o = 0; o < y.width; ++o) {
      for (std::size_t i = 0; i < x.width; ++i) {
        y(r, o) += x(r, i) * w[o * x.width + i];
      }
    }
  }
  return y;
}

inline Matrix sum(Matrix a, const Matrix& b) {
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    a.values[i] += b.values[i];
  }
  return a;
}

inline Matrix scaled(Matrix x, double factor) {
  for (double& value : x.values) {
    value *= factor;
  }
  return x;
}

inline Matrix clipped(Matrix x, double lowest, double highest) {
  for (double& value : x.values) {
    value = std::min(std::max(value, lowest), highest);
  }
  return x;
}

}  // namespace assay::second_implementation
