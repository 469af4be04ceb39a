// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/top_k.h"

#include <algorithm>
#include <numeric>

namespace assay::ASSAY_REFERENCE {

IntTensor<R, X> top_k(const Tensor<R, E>& x, std::size_t k) {
  const std::size_t rows = x.shape()[0];
  const std::size_t width = x.shape()[1];
  if (k > width) {
    throw Error("top_k: got k = " + std::to_string(k) + ", expected at most " +
                std::to_string(width));
  }
  IntTensor<R, X> chosen = IntTensor<R, X>::from_shape({rows, k});
  std::vector<std::int32_t> order(width);
  for (std::size_t r = 0; r < rows; ++r) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return x(r, static_cast<std::size_t>(a)) > x(r, static_cast<std::size_t>(b));
    });
    std::copy_n(order.begin(), k, chosen.data() + r * k);
  }
  return chosen;
}

}  // namespace assay::ASSAY_REFERENCE
