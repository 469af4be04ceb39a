// SPDX-License-Identifier: Apache-2.0
// From an image of any size to the patches that an encoder reads.
//
//   target_size -> resize -> v = byte / 255 -> patches in raster order with their positions (x, y)
//
// byte / 255 is rounded once to fp32, as JAX and the Pillow path of transformers have it; their
// torch path multiplies by an fp32 1 / 255 and is one unit off for 126 of the bytes (DIV-M15). The
// fp32 and the fp64 reference start from the same numbers.  Spec: RI-2 to RI-10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/family/config/config.h"
#include "reference/family/config/media_kind.h"
#include "reference/family/config/profile.h"
#include "reference/family/config/soft_tokens.h"
#include "reference/family/preprocess/image.h"

namespace assay {

struct PatchOptions {
  std::size_t budget = kImageBudget;  // soft tokens, one of kSoftTokenBudgets
  std::size_t patch_size = kPatchSize;
  std::size_t pooling_kernel_size = kPoolingKernelSize;
  bool merged = false;  // 12B: one patch per soft token, patch_size * pooling_kernel_size wide
  Profile profile = {};
};

// How a checkpoint cuts an item of this kind (kImage or kFrame); budget 0: its own. Throws Error
// when it takes no images.
PatchOptions patch_options(const ModelConfig& config, MediaKind kind, std::size_t budget,
                           const Profile& profile);

struct Patches {
  std::size_t columns = 0;    // grid
  std::size_t rows = 0;       //
  std::size_t width = 0;      // numbers per patch, 3 * side * side
  std::vector<float> values;  // [rows * columns, width], in [0, 1]: (row, column, channel)
  std::vector<std::int32_t> positions;  // [rows * columns, 2]: x, y

  std::size_t count() const { return rows * columns; }
};

// v = byte / 255 in patches; an image whose sides are not whole patches loses the rest.
Patches cut_patches(const Image& resized, const PatchOptions& options);

// (th / 48) (tw / 48) of an image of this size.
std::size_t image_soft_tokens(ImageSize size, const PatchOptions& options);

// Every step, for those who look.
struct PreprocessedImage {
  ImageSize target;
  Image resized;  // empty where values are no bytes (is_float)
  Patches patches;
  std::size_t num_soft_tokens = 0;
};

// Throws Error on an image without pixels and on a budget that is none of the five.
PreprocessedImage preprocess_image(const Image& image, const PatchOptions& options);

}  // namespace assay
