// SPDX-License-Identifier: Apache-2.0
// The size an image is brought to: as large as the budget allows, both sides whole soft tokens.
//
//   u  = patch_size * pooling_kernel_size                     pixels of a soft token, 48
//   A  = max_patches * patch_size^2                           pixels of the budget
//   f  = sqrt(A / (h * w))                                    one division, one root
//   th = floor((f * h) / u) * u,   tw = floor((f * w) / u) * u
//   th = 0:  th = u, tw = min(floor(w / h) * u, floor(max_patches / pooling_kernel_size^2) * u)
//   tw = 0:  the same with h and w swapped
//
// In IEEE doubles and in this order: the double product falls just below the integer for some
// sizes, and that is what published models were run with. Small images grow. The ratio of the
// sides is kept only as far as the two floors allow.  Spec: RI-2, RI-3, RI-6.
#pragma once

#include <cstddef>
#include <string>

#include "reference/family/config/soft_tokens.h"
#include "reference/family/preprocess/image.h"

namespace assay {

struct PatchBudget {
  std::size_t patch_size = kPatchSize;
  std::size_t max_patches = kPatchesPerSoftToken * kImageBudget;
  std::size_t pooling_kernel_size = kPoolingKernelSize;
};

// Throws Error on an image without pixels, on one so small that both sides become 0, and when the
// result would exceed the budget.
ImageSize target_size(ImageSize source, const PatchBudget& budget);

// "480 x 640", height first.
std::string size_string(ImageSize size);

}  // namespace assay
