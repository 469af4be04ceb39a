// SPDX-License-Identifier: Apache-2.0
// An image to the patches that an encoder reads, each step shown.
//
//   rgb -> target_size -> resized -> num_soft_tokens -> patches, positions
//
// The numbers are those of reference/family/preprocess, the same in both builds. Sizes decide how
// many tokens there are, so what a listener writes into them changes nothing. Spec multimodal
// 2, 7.1.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/preprocess/image_patches.h"

namespace assay::ASSAY_REFERENCE {

struct PatchInput {
  Tensor<R, I> patches;       // [S, 3 P P]
  IntTensor<R, A> positions;  // [S, 2]: x, y; (-1, -1) is padding
};

// Taps image.rgb … image.num_soft_tokens below `tap`; the result's own taps are emit_patches'.
PatchInput image_preprocessor(Image image, const PatchOptions& options, const TapScope& tap);

// Taps image.patches and image.positions, without padding slots. `table_rows`: of the positions.
void emit_patches(PatchInput& image, std::size_t table_rows, const TapScope& tap);

// The same image with empty slots after it, `slots` in all (none are added beyond that).
PatchInput with_padding(PatchInput image, std::size_t slots);

}  // namespace assay::ASSAY_REFERENCE
