// SPDX-License-Identifier: Apache-2.0
// A linear map with its four bounds from a checkpoint: `<at>linear.weight`, `<at>input_min`, …
//
// The bounds are rank-0 tensors. A loader that skips those runs unclipped and says nothing.
// Spec: multimodal 3.1.
#pragma once

#include <string>

#include "reference/weights/clipped_linear_weights.h"
#include "reference/weights/load_weights.h"

namespace assay::ASSAY_REFERENCE {

// `clipped` is the config's use_clipped_linears; without it the bounds stay infinite. Throws Error
// where a lower bound lies above its upper one.
ClippedLinear load_clipped_linear(const WeightReader& reader, const std::string& at, bool clipped);

}  // namespace assay::ASSAY_REFERENCE
