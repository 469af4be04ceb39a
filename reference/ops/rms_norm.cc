// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/rms_norm.h"

#include <cmath>

namespace assay::ASSAY_REFERENCE {
namespace {

Real inverse_rms(std::span<const Real> x, double eps) {
  Real sum_of_squares = 0;
  for (const Real value : x) {
    sum_of_squares += value * value;
  }
  const Real mean_square = sum_of_squares / static_cast<Real>(x.size());
  return Real(1) / std::sqrt(mean_square + static_cast<Real>(eps));
}

void normalise_row(std::span<const Real> x, std::span<const Real> scale, double eps,
                   std::span<Real> y) {
  const Real inv_rms = inverse_rms(x, eps);
  for (std::size_t d = 0; d < x.size(); ++d) {
    y[d] = scale.empty() ? x[d] * inv_rms : scale[d] * (x[d] * inv_rms);
  }
}

// Normalises every row of `width` values; an empty scale means none.
template <class AnyTensor>
AnyTensor normalise_rows(const AnyTensor& x, std::size_t width, std::span<const Real> scale,
                         double eps) {
  AnyTensor y = AnyTensor::from_shape(x.shape());
  for (std::size_t r = 0; r < x.size() / width; ++r) {
    normalise_row(row(x, r, width), scale, eps, row(y, r, width));
  }
  return y;
}

std::span<const Real> values_of(const Tensor<D>& scale) {
  return {scale.data(), scale.size()};
}

}  // namespace

Tensor<R, D> rms_norm(const Tensor<R, D>& x, const Tensor<D>& scale, double eps) {
  const std::size_t width = x.shape()[1];
  check_shape(scale, {width}, "rms_norm: scale");
  return normalise_rows(x, width, values_of(scale), eps);
}

Tensor<R, D> rms_norm_unscaled(const Tensor<R, D>& x, double eps) {
  return normalise_rows(x, x.shape()[1], {}, eps);
}

Tensor<T, N, H> rms_norm_heads(const Tensor<T, N, H>& x, const Tensor<H>& scale, double eps) {
  const std::size_t width = x.shape()[2];
  check_shape(scale, {width}, "rms_norm_heads: scale");
  return normalise_rows(x, width, values_of(scale), eps);
}

Tensor<T, N, H> rms_norm_heads_unscaled(const Tensor<T, N, H>& x, double eps) {
  return normalise_rows(x, x.shape()[2], {}, eps);
}

}  // namespace assay::ASSAY_REFERENCE
