// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/clipped_linear.h"

#include <algorithm>
#include <cmath>

#include "reference/ops/linear.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// Infinite bounds leave every value as it is.
void clip(Tensor<R, I>& x, Real lowest, Real highest) {
  if (std::isinf(lowest) && std::isinf(highest)) {
    return;
  }
  for (Real& value : x) {
    value = std::clamp(value, lowest, highest);
  }
}

}  // namespace

Tensor<R, O> clipped_linear(const Tensor<R, I>& x, const ClippedLinear& w) {
  Tensor<R, I> input = x;  // [R, I]
  clip(input, w.input_min, w.input_max);
  auto y = linear(input, w.weight, w.activation);  // [R, O]
  clip(y, w.output_min, w.output_max);
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
