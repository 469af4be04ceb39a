// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/clamp.h"

#include <algorithm>
#include <limits>

namespace assay::ASSAY_REFERENCE {

Tensor<R, D> clamp(const Tensor<R, D>& x, double limit) {
  constexpr double kLargest = std::numeric_limits<Real>::max();
  const Real bound = static_cast<Real>(std::min(limit, kLargest));
  Tensor<R, D> y = Tensor<R, D>::from_shape(x.shape());
  std::transform(x.begin(), x.end(), y.begin(),
                 [bound](Real value) { return std::clamp(value, -bound, bound); });
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
