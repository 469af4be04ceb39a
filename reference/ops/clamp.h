// SPDX-License-Identifier: Apache-2.0
// The audio encoder's activation clamp, in front of its norms.
//
//   clamp(x) = min(max(x, -limit), limit)
//
// With the released limit of 1e10 it changes nothing unless something has gone wrong; llama.cpp
// leaves it out (DIV-M19). The config calls it gradient_clipping.  Spec: multimodal 5.6, RC-6.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

// A limit beyond the largest Real is the largest Real.
Tensor<R, D> clamp(const Tensor<R, D>& x, double limit);

}  // namespace assay::ASSAY_REFERENCE
