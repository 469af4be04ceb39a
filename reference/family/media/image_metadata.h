// SPDX-License-Identifier: Apache-2.0
// The blocks of EXIF and XMP in a JPEG and in a PNG file, in every place where Pillow finds them:
//
//   JPEG   APP1 "Exif\0\0", joined where there are several; APP1 "http://ns.adobe.com/xap/1.0/\0"
//   PNG    chunk eXIf, or else text "Raw profile type exif" (hexadecimal, as ImageMagick writes
//   it);
//          text "XML:com.adobe.xmp", in iTXt or in tEXt and zTXt
// Source: EXIF 2.32; XMP Specification, part 3; PNG 1.5, 11.3.4. What is damaged is left out.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "reference/family/media/orientation.h"

namespace assay {

constexpr std::size_t kMaxTextBytes = 1u << 20;  // of one text of a PNG, inflated; as Pillow's

struct ImageMetadata {
  std::vector<std::byte> exif;
  std::vector<std::byte> xmp;
  OrientationBlocks blocks() const { return {exif, xmp}; }
};

ImageMetadata jpeg_metadata(std::span<const std::byte> jpeg);
ImageMetadata png_metadata(std::span<const std::byte> png);  // that libpng has read to its end

}  // namespace assay
