// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/softcap.h"

#include <xtensor/xmath.hpp>

namespace assay::ASSAY_REFERENCE {

Tensor<R, V> softcap(const Tensor<R, V>& x, double cap) {
  const Real c = static_cast<Real>(cap);
  return xt::tanh(x / c) * c;
}

Tensor<T, N, S> softcap(const Tensor<T, N, S>& x, double cap) {
  const Real c = static_cast<Real>(cap);
  return xt::tanh(x / c) * c;
}

}  // namespace assay::ASSAY_REFERENCE
