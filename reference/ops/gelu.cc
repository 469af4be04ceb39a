// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/gelu.h"

#include <cmath>
#include <numbers>

namespace assay::ASSAY_REFERENCE {

Tensor<R, F> gelu(const Tensor<R, F>& x) {
  const Real root = static_cast<Real>(std::sqrt(2.0 * std::numbers::inv_pi));
  const Real cubic = static_cast<Real>(0.044715);
  Tensor<R, F> y = Tensor<R, F>::from_shape(x.shape());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Real v = x.data()[i];
    y.data()[i] = Real(0.5) * v * (Real(1) + std::tanh(root * (v + cubic * v * v * v)));
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
