// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/patch_grid.h"

#include <algorithm>

namespace assay::ASSAY_REFERENCE {
namespace {

template <class AnyTensor>
AnyTensor rows_of(const AnyTensor& x, const std::vector<std::size_t>& slots) {
  const std::size_t width = x.shape()[1];
  AnyTensor taken = AnyTensor::from_shape({slots.size(), width});
  for (std::size_t r = 0; r < slots.size(); ++r) {
    const auto source = row(x, slots[r], width);
    std::copy(source.begin(), source.end(), row(taken, r, width).begin());
  }
  return taken;
}

}  // namespace

PatchGrid patch_grid(const IntTensor<R, A>& positions, std::size_t table_rows) {
  check_shape(positions, {positions.shape()[0], 2}, "image: positions");
  return assay::patch_grid(std::span(positions.data(), positions.size()), table_rows);
}

Tensor<R, I> take_rows(const Tensor<R, I>& x, const std::vector<std::size_t>& slots) {
  return rows_of(x, slots);
}

IntTensor<R, A> take_rows(const IntTensor<R, A>& x, const std::vector<std::size_t>& slots) {
  return rows_of(x, slots);
}

}  // namespace assay::ASSAY_REFERENCE
