// SPDX-License-Identifier: Apache-2.0
// Bicubic resizing of an image: every row to its new width, then every column to its new height.
//
//   bytes: W_j  = w_j * 2^22, rounded half away from zero                 w of bicubic.h
//          byte = clamp(floor((sum_j W_j * in_j + 2^21) / 2^22), 0, 255)   after each pass
//   int16: as bytes, with 2^p in place of 2^22: the largest p for which every W_j of the axis is
//          below 2^15
//   float: the same sums in doubles, no rounding and no clamp
//
// Bytes are Pillow's algorithm, int16 is torch's for bytes (torchvision, the default of
// transformers); both are equal to theirs bit for bit, and at most 2 steps apart. The clamp between
// the passes shows wherever the first one overshoots. The float form is JAX's jax.image.resize.
// Between the passes there is an image of the old height and the new width; nothing else of that
// size is held.
// Spec: RI-4, RI-5.
#pragma once

#include <vector>

#include "reference/family/preprocess/image.h"

namespace assay {

enum class ByteWeights { k22Bits, kInt16 };

// Throws Error on a size of zero, and when the bytes are not height * width * 3.
Image resize_bytes(const Image& image, ImageSize target,
                   ByteWeights weights = ByteWeights::k22Bits);

// [target.height, target.width, 3] in the units of bytes; values may lie outside 0 ... 255.
std::vector<double> resize_float(const Image& image, ImageSize target);

}  // namespace assay
