// SPDX-License-Identifier: Apache-2.0
// TIFF through libtiff: the first image of a file, in strips or tiles, of any compression that
// libtiff was built with, samples side by side or in planes of their own.
//
//   grey of 1, 2, 4, 8 bits   scaled to 0 ... 255       grey of 12, 16, 32 bits, floats   clipped
//   palette                   the high bytes of its 16  colour of 16 bits                 high
//   bytes alpha                     dropped; where colours are multiplied by it, divided first CMYK
//   as in jpeg_file.h         YCbCr                             by libtiff
// So has Pillow's convert("RGB") it, bit for bit. Source: TIFF 6.0. Rows are decoded one after
// another, so memory is that of the image; a tile has a bound of its own.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/preprocess/image.h"

namespace assay {

constexpr std::size_t kMaxTileBytes = 1u << 28;

bool looks_like_tiff(std::span<const std::byte> bytes);
Image decode_tiff(std::span<const std::byte> bytes, const std::string& name);  // upright

}  // namespace assay
