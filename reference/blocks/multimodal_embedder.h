// SPDX-License-Identifier: Apache-2.0
// From an encoder's width to the text model's.
//
//   pre_norm = x / sqrt(mean(x^2) + eps)            no weight
//   out      = pre_norm W^T                         no bias, no clipping, no sqrt(D)
//
// Rows enter the text sequence as they are. JAX projects first (audio.embed_order, DIV-M01).
// Spec: multimodal 3, 5.7, 5.8, RV-21, RC-21, RU-4.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/profile.h"

namespace assay::ASSAY_REFERENCE {

// projection [Dtext, D]. Taps embed.pre_norm and embed.out below `tap` ("vision.", "audio.").
Tensor<T, D> multimodal_embedder(const Tensor<R, D>& x, const Tensor<O, I>& projection, double eps,
                                 EmbedOrder order, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
