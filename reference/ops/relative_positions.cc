// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/relative_positions.h"

#include <algorithm>
#include <cmath>

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kLongestPeriod = 10000;  // in units of the shortest

}  // namespace

Tensor<R, D> relative_positions(std::size_t rows, std::size_t width) {
  if (width % 2 != 0) {
    throw Error("relative_positions: width: got " + std::to_string(width) +
                ", expected an even number");
  }
  const std::size_t timescales = width / 2;
  const double last = static_cast<double>(std::max<std::size_t>(timescales, 2) - 1);
  auto y = make_tensor<R, D>({rows, width});
  for (std::size_t r = 0; r < rows; ++r) {
    const double distance = static_cast<double>(rows - 1 - r);
    for (std::size_t i = 0; i < timescales; ++i) {
      const double tau = std::exp(-std::log(kLongestPeriod) * static_cast<double>(i) / last);
      y(r, i) = static_cast<Real>(std::sin(distance * tau));
      y(r, timescales + i) = static_cast<Real>(std::cos(distance * tau));
    }
  }
  return y;
}

}  // namespace assay::ASSAY_REFERENCE
