// SPDX-License-Identifier: Apache-2.0
// BMP: 1, 4 and 8 bits with a palette, plain or run-length coded; 16, 24 and 32 bits, plain or with
// bit masks; from the bottom up or from the top down; headers of OS/2 1 and of Windows 3 to 5.
//
//   5 bits v 255 / 31, 6 bits v 255 / 63, cut to integers;   alpha is dropped
// What a byte means where the format's document and Pillow differ is as in Pillow's
// convert("RGB"), bit for bit: an odd run of RLE4 pixels that stand as they are loses its last one;
// a palette of black and white makes the rows one bit deep.
//
// Source: the documentation of BITMAPINFOHEADER to BITMAPV5HEADER.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/preprocess/image.h"

namespace assay {

bool looks_like_bmp(std::span<const std::byte> bytes);
Image decode_bmp(std::span<const std::byte> bytes, const std::string& name);

}  // namespace assay
