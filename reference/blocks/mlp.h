// SPDX-License-Identifier: Apache-2.0
// The gated feed-forward network.
//
//   y = down_proj ( gelu( gate_proj x ) .* ( up_proj x ) )
//
// Shazeer 2020 (GEGLU).  Spec: R-41.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/weights/weights.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> mlp(const MlpWeights& w, const Tensor<T, D>& x, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
