// SPDX-License-Identifier: Apache-2.0
// Images of what an encoder is given.
#pragma once

#include <vector>

#include "reference/family/preprocess/image.h"
#include "reference/family/preprocess/image_patches.h"
#include "reference/family/preprocess/log_mel.h"

namespace assay::program {

// The resized image with its patches (thin lines) and soft tokens (strong lines, numbered).
Image draw_patch_grid(const Image& resized, const PatchOptions& options);

// Time to the right, frequency upwards, bright where loud; below it a tick for each soft token and
// the seconds.
Image draw_log_mel(const LogMel& mel);

// The frames side by side, each resized and with its grid, its time above it.
Image draw_frames(const std::vector<Image>& frames, const std::vector<double>& seconds,
                  const PatchOptions& options);

}  // namespace assay::program
