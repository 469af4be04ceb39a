// SPDX-License-Identifier: Apache-2.0
// Softmax over the visible entries of each row.
//
//   p[r,s] = exp(x[r,s] - m[r]) / sum_{s' visible} exp(x[r,s'] - m[r]),   m[r] = max over visible s
//
// A hidden entry is exactly 0. A row with nothing visible (a padding query) is all zeros: its
// outputs are unspecified but finite.  Spec.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, E> softmax(const Tensor<R, E>& x);

// `visible` [T, S] holds for every head.
Tensor<T, N, S> masked_softmax(const Tensor<T, N, S>& scores, const IntTensor<T, S>& visible);

}  // namespace assay::ASSAY_REFERENCE
