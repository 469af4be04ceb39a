// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay::ASSAY_REFERENCE {
namespace {

void softmax_row(std::span<const Real> x, std::span<const std::int32_t> visible,
                 std::span<Real> p) {
  Real largest = -std::numeric_limits<Real>::infinity();
  for (std::size_t s = 0; s < x.size(); ++s) {
    if (visible.empty() || visible[s] != 0) {
      largest = std::max(largest, x[s]);
    }
  }
  Real sum = 0;
  for (std::size_t s = 0; s < x.size(); ++s) {
    const bool seen = visible.empty() || visible[s] != 0;
    p[s] = seen ? std::exp(x[s] - largest) : Real(0);
    sum += p[s];
  }
  if (sum > 0) {
    for (Real& value : p) {
      value /= sum;
    }
  }
}

}  // namespace

Tensor<R, E> softmax(const Tensor<R, E>& x) {
  const std::size_t width = x.shape()[1];
  Tensor<R, E> p = Tensor<R, E>::from_shape(x.shape());
  for (std::size_t r = 0; r < x.shape()[0]; ++r) {
    softmax_row(row(x, r, width), {}, row(p, r, width));
  }
  return p;
}

Tensor<T, N, S> masked_softmax(const Tensor<T, N, S>& scores, const IntTensor<T, S>& visible) {
  const std::size_t queries = scores.shape()[0];
  const std::size_t heads = scores.shape()[1];
  const std::size_t keys = scores.shape()[2];
  check_shape(visible, {queries, keys}, "masked_softmax: visible");
  Tensor<T, N, S> p = Tensor<T, N, S>::from_shape(scores.shape());
  for (std::size_t t = 0; t < queries; ++t) {
    for (std::size_t n = 0; n < heads; ++n) {
      softmax_row(row(scores, t * heads + n, keys), row(visible, t, keys),
                  row(p, t * heads + n, keys));
    }
  }
  return p;
}

}  // namespace assay::ASSAY_REFERENCE
