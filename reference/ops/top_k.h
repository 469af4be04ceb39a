// SPDX-License-Identifier: Apache-2.0
// The k largest entries of each row, largest first; equal entries in index order.
//
// The order among ties is this project's rule: no source defines it.  Spec: R-53.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

IntTensor<R, X> top_k(const Tensor<R, E>& x, std::size_t k);

}  // namespace assay::ASSAY_REFERENCE
