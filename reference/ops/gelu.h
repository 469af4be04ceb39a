// SPDX-License-Identifier: Apache-2.0
// The Gaussian error linear unit in its tanh form, the only activation of the text model.
//
//   gelu(x) = x/2 * ( 1 + tanh( sqrt(2/pi) * (x + 0.044715 x^3) ) )
//
// Hendrycks & Gimpel 2016. The erf form is another function: it differs by up to 4.7e-4 near
// |x| = 2.7.  Spec: R-05.
#pragma once

#include "reference/core/tensor.h"

namespace assay::ASSAY_REFERENCE {

Tensor<R, F> gelu(const Tensor<R, F>& x);

}  // namespace assay::ASSAY_REFERENCE
