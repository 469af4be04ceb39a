// SPDX-License-Identifier: Apache-2.0
// The soft cap on the final logits, and on the logits of the audio encoder's attention.
//
//   softcap(x) = cap * tanh(x / cap),   cap = 30 in every released model; 50 in the audio encoder
//
// It keeps the order of logits. In fp32 it makes ties, though: of neighbouring floats most are
// equal from 60 on, and all are 30 from 270 or so. Drafters have none.  Spec: R-07, RC-13.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, V> softcap(const Tensor<R, V>& x, double cap);
Tensor<T, N, S> softcap(const Tensor<T, N, S>& x, double cap);

}  // namespace assay::ASSAY_REFERENCE
