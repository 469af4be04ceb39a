// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/gelu.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "reference/family/base/number_formats.h"

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

namespace {

float looked_up(float x) {
  if (x <= -10) {
    return 0;
  }
  if (x >= 10) {
    return x;
  }
  constexpr float kRoot = 0.79788456080286535587989211986876f;
  const float v = float_from_f16(f16_from_float(x));
  const float y = 0.5f * v * (1.0f + std::tanh(kRoot * v * (1.0f + 0.044715f * v * v)));
  return float_from_f16(f16_from_float(y));
}

}  // namespace

Tensor<R, F> gelu(const Tensor<R, F>& x, GeluForm form) {
  if (form == GeluForm::kExact) {
    return gelu(x);
  }
  Tensor<R, F> y = Tensor<R, F>::from_shape(x.shape());
  std::transform(x.begin(), x.end(), y.begin(),
                 [](Real value) { return looked_up(static_cast<float>(value)); });
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
