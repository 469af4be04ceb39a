// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/depthwise_conv1d.h"

#include <algorithm>

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> depthwise_conv1d(const Tensor<T, D>& x, const Tensor<D, J>& weight) {
  const std::size_t rows = x.shape()[0];
  const std::size_t width = x.shape()[1];
  const std::size_t kernel = weight.shape()[1];
  check_shape(weight, {width, kernel}, "depthwise_conv1d: weight");

  auto y = make_tensor<T, D>({rows, width});
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t d = 0; d < width; ++d) {
      const std::size_t oldest = std::min(t, kernel - 1);  // rows back from t
      for (std::size_t j = kernel - 1 - oldest; j < kernel; ++j) {
        y(t, d) += weight(d, j) * x(t + j - (kernel - 1), d);
      }
    }
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
