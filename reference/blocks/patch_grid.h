// SPDX-License-Identifier: Apache-2.0
// The grid of an image's patches (family/preprocess/patch_grid.h) of tensors, and rows by slot.
#pragma once

#include <cstddef>
#include <vector>

#include "reference/core/tensor.h"
#include "reference/family/preprocess/patch_grid.h"

namespace assay::ASSAY_REFERENCE {

// positions [S, 2].
PatchGrid patch_grid(const IntTensor<R, A>& positions, std::size_t table_rows);

// The rows `slots` of x, in that order.
Tensor<R, I> take_rows(const Tensor<R, I>& x, const std::vector<std::size_t>& slots);
IntTensor<R, A> take_rows(const IntTensor<R, A>& x, const std::vector<std::size_t>& slots);

}  // namespace assay::ASSAY_REFERENCE
