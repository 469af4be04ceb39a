// SPDX-License-Identifier: Apache-2.0
// Rounds activations to 8-bit steps of a fixed size, and keeps them as real numbers.
//
//   y = clamp(round(x / s), -128, 127) * s      ties to even;  s = 0, not calibrated: y = x
//
// Checkpoints for phones ("quant_method": "gemma") store one s for the input and one for the output
// of a linear map. x may lie within a rounding error of the middle of two steps, so two honest
// programs may differ by a whole step.  Source: transformers 5.22, integrations/gemma_quant.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, I> fake_quantize(const Tensor<R, I>& x, Real scale);

}  // namespace assay::ASSAY_REFERENCE
