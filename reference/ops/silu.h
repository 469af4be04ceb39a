// SPDX-License-Identifier: Apache-2.0
// The activations of the audio encoder.
//
//   sigmoid(x)  = 1 / (1 + exp(-x))
//   silu(x)     = x * sigmoid(x)
//   glu(x)[t,d] = x[t,d] * sigmoid(x[t, D + d])         first half value, second half gate
//   softplus(x) = ln(1 + exp(x))
//
// Elfwing et al. 2017 (SiLU, also called swish); Dauphin et al. 2016 (GLU). GELU, the text model's
// activation, does not occur in the audio encoder.  Spec: multimodal 0.1, 5.6, RC-7, RC-9, RC-16.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, F> silu(const Tensor<R, F>& x);

// x [T, 2D] -> [T, D]; the halves are contiguous, not interleaved.
Tensor<T, D> glu(const Tensor<T, F>& x);

Tensor<H> softplus(const Tensor<H>& x);

}  // namespace assay::ASSAY_REFERENCE
