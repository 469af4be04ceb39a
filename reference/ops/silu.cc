// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/silu.h"

#include <algorithm>
#include <cmath>

namespace assay::ASSAY_REFERENCE {
namespace {

Real sigmoid(Real x) {
  return Real(1) / (Real(1) + std::exp(-x));
}

}  // namespace

Tensor<R, F> silu(const Tensor<R, F>& x) {
  Tensor<R, F> y = Tensor<R, F>::from_shape(x.shape());
  std::transform(x.begin(), x.end(), y.begin(), [](Real v) { return v * sigmoid(v); });
  return y;
}

Tensor<T, D> glu(const Tensor<T, F>& x) {
  const std::size_t rows = x.shape()[0];
  const std::size_t width = x.shape()[1] / 2;
  check_shape(x, {rows, 2 * width}, "glu: x");
  auto y = make_tensor<T, D>({rows, width});
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t d = 0; d < width; ++d) {
      y(t, d) = x(t, d) * sigmoid(x(t, width + d));
    }
  }
  return y;
}

// For a large x, exp(x) would overflow: ln(1 + exp(x)) = x + ln(1 + exp(-x)).
Tensor<H> softplus(const Tensor<H>& x) {
  Tensor<H> y = Tensor<H>::from_shape(x.shape());
  std::transform(x.begin(), x.end(), y.begin(),
                 [](Real v) { return std::max(v, Real(0)) + std::log1p(std::exp(-std::abs(v))); });
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
