// SPDX-License-Identifier: Apache-2.0
// EXIF orientation: the number that a camera writes, and the image turned upright by it.
//
// With the stored image [H, W] and the shown one [h, w], the pixel shown at (y, x) is stored at
//   1 (y, x)   2 (y, W-1-x)   3 (H-1-y, W-1-x)   4 (H-1-y, x)      h = H, w = W
//   5 (x, y)   6 (H-1-x, y)   7 (H-1-x, W-1-y)   8 (x, W-1-y)      h = W, w = H
// EXIF 2.32, tag 0x0112. Only EXIF is read: an orientation that stands in XMP alone is not seen.
#pragma once

#include <cstddef>
#include <span>

#include "reference/family/preprocess/image.h"

namespace assay {

// The orientation in a TIFF structure (the body of a JPEG's EXIF segment, of a PNG's eXIf chunk);
// 1 where there is none, or none that can be understood: metadata never makes an image unreadable.
int exif_orientation(std::span<const std::byte> tiff);

// The orientation in the EXIF segments of a JPEG file, 1 where there is none.
int jpeg_orientation(std::span<const std::byte> jpeg);

Image upright(Image image, int orientation);

}  // namespace assay
