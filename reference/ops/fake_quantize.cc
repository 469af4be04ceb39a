// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/fake_quantize.h"

#include <algorithm>
#include <cmath>

namespace assay::ASSAY_REFERENCE {

Tensor<R, I> fake_quantize(const Tensor<R, I>& x, Real scale) {
  Tensor<R, I> y = x;  // [R, I]
  if (scale == Real(0)) {
    return y;
  }
  for (Real& value : y) {
    const Real step = std::nearbyint(value / scale);  // the rounding mode is to nearest even
    value = std::clamp(step, Real(-128), Real(127)) * scale;
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
