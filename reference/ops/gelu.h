// SPDX-License-Identifier: Apache-2.0
// The Gaussian error linear unit in its tanh form, the only activation of the text model.
//
//   gelu(x) = x/2 * ( 1 + tanh( sqrt(2/pi) * (x + 0.044715 x^3) ) )
//
// Hendrycks & Gimpel 2016. The erf form is another function: it differs by up to 4.7e-4 near
// |x| = 2.7.  Spec: R-05.
#pragma once

#include "reference/core/tensor.h"
#include "reference/family/config/rounding.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, F> gelu(const Tensor<R, F>& x);

// kF16Table: as ggml's CPU kernels look it up, f16(gelu(f16(x))) in fp32, 0 up to -10 and x from
// 10 on.  Source: ggml, ggml_vec_gelu_f32 with GGML_GELU_FP16.
Tensor<R, F> gelu(const Tensor<R, F>& x, GeluForm form);

}  // namespace assay::ASSAY_REFERENCE
