// SPDX-License-Identifier: Apache-2.0
// Pixels to the encoder's first hidden state.
//
//   h[s] = (2 patch[s] - 1) W^T + table_x[x] + table_y[y]
//
// W has no bias and is never clipped; the sum is neither normed nor scaled. A padding slot gets no
// position: its row of the table is zero.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/vision/_layers.py, VisionEntry.
// Spec: multimodal 3, RV-1 to RV-4.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/weights/vision_weights.h"

namespace assay::ASSAY_REFERENCE {

// patches [T, 3 P P] in [0, 1]; positions [T, 2], inside the table or (-1, -1).
Tensor<T, D> vision_patch_embedder(const PatchEmbedderWeights& w, const Tensor<T, I>& patches,
                                   const IntTensor<T, A>& positions, const TapScope& tap);

// table.x[x] + table.y[y] for each position; an axis at -1 adds nothing.
Tensor<T, D> position_embedding(const PositionTable& table, const IntTensor<T, A>& positions);

}  // namespace assay::ASSAY_REFERENCE
