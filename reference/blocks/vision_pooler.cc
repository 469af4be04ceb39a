// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/vision_pooler.h"

#include <cmath>

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<R, D> pool(const Tensor<T, D>& h, const IntTensor<T, A>& positions, std::size_t columns,
                  std::size_t kernel) {
  const std::size_t patches = h.shape()[0];
  const std::size_t width = h.shape()[1];
  auto cells = make_tensor<R, D>({patches / (kernel * kernel), width});
  for (std::size_t t = 0; t < patches; ++t) {
    const std::size_t x = static_cast<std::size_t>(positions(t, 0)) / kernel;
    const std::size_t y = static_cast<std::size_t>(positions(t, 1)) / kernel;
    const std::size_t cell = x + (columns / kernel) * y;
    for (std::size_t d = 0; d < width; ++d) {
      cells(cell, d) += h(t, d);
    }
  }
  cells /= static_cast<Real>(kernel * kernel);
  return cells;
}

}  // namespace

Tensor<R, D> vision_pooler(const Tensor<T, D>& h, const IntTensor<T, A>& positions,
                           std::size_t columns, std::size_t kernel,
                           const std::optional<StandardizeWeights>& standardize,
                           const TapScope& tap) {
  auto y = pool(h, positions, columns, kernel);  // [R, D]
  tap.whole("pool", y);
  y *= static_cast<Real>(std::sqrt(static_cast<double>(h.shape()[1])));
  tap.whole("pool_scaled", y);
  if (standardize) {
    check_shape(standardize->std_bias, {h.shape()[1]}, "vision_pooler: std_bias");
    check_shape(standardize->std_scale, {h.shape()[1]}, "vision_pooler: std_scale");
    y = (y - standardize->std_bias) * standardize->std_scale;  // [R, D]
    tap.whole("standardized", y);
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
