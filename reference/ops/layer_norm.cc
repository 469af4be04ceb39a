// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/layer_norm.h"

#include <cmath>

namespace assay::ASSAY_REFERENCE {
namespace {

Real mean_around(std::span<const Real> x, Real centre) {
  Real sum = 0;
  for (const Real value : x) {
    sum += value - centre;
  }
  return centre + sum / static_cast<Real>(x.size());
}

// Twice: the first mean is off by the rounding of a long sum of large numbers, the second sums
// what is left. In a nearly flat patch that rounding would be as large as the deviations.
Real mean_of(std::span<const Real> x) {
  return mean_around(x, mean_around(x, 0));
}

// Biased: divided by D, not D - 1.
Real variance_of(std::span<const Real> x, Real mean) {
  Real sum_of_squares = 0;
  for (const Real value : x) {
    sum_of_squares += (value - mean) * (value - mean);
  }
  return sum_of_squares / static_cast<Real>(x.size());
}

}  // namespace

Tensor<R, D> layer_norm(const Tensor<R, D>& x, const Tensor<D>& weight, double eps) {
  const std::size_t rows = x.shape()[0];
  const std::size_t width = x.shape()[1];
  check_shape(weight, {width}, "layer_norm: weight");

  auto y = make_tensor<R, D>({rows, width});
  for (std::size_t r = 0; r < rows; ++r) {
    const Real mean = mean_of(row(x, r, width));
    const Real variance = variance_of(row(x, r, width), mean);
    const Real inv_deviation = Real(1) / std::sqrt(variance + static_cast<Real>(eps));
    for (std::size_t d = 0; d < width; ++d) {
      y(r, d) = weight(d) * ((x(r, d) - mean) * inv_deviation);
    }
  }
  return y;
}

Tensor<R, D> layer_norm(const Tensor<R, D>& x, const Tensor<D>& weight, const Tensor<D>& bias,
                        double eps) {
  check_shape(bias, {x.shape()[1]}, "layer_norm: bias");
  return layer_norm(x, weight, eps) + bias;  // [R, D]
}

}  // namespace assay::ASSAY_REFERENCE
