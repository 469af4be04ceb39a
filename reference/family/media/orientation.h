// SPDX-License-Identifier: Apache-2.0
// Which way up an image is: EXIF 2.32, tag 0x0112, or else the property tiff:Orientation of XMP.
//
//   1 as stored    2 mirrored    3 half a turn    4 upside down
//   5 to 8         the same with rows and columns exchanged; 6 is a quarter turn clockwise
// EXIF decides where it holds the tag, whatever its value; XMP is looked at otherwise. So does
// Pillow's exif_transpose; programs that read EXIF alone differ (DIV-M47).
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "reference/family/preprocess/image.h"

namespace assay {

// The metadata of an image file that can hold an orientation; empty where there is none.
struct OrientationBlocks {
  std::span<const std::byte> exif;  // a TIFF structure, after "Exif\0\0" or not
  std::span<const std::byte> xmp;   // XML
};

// The value of the tag, 1 where it makes no sense; nothing where there is no tag or the structure
// is damaged: metadata never makes an image unreadable.
std::optional<int> exif_orientation(std::span<const std::byte> exif);

// The first tiff:Orientation="N" or tiff:Orientation>N, a digit.
std::optional<int> xmp_orientation(std::span<const std::byte> xmp);

int orientation_of(const OrientationBlocks& blocks);  // 1 to 8

Image upright(Image image, int orientation);

}  // namespace assay
