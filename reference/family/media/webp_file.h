// SPDX-License-Identifier: Apache-2.0
// WebP through libwebp: lossy, lossless, with alpha, animated. Of an animation the first frame
// counts, on a canvas of black; alpha is dropped, not composited. So Pillow's convert("RGB") has
// it, bit for bit.
//
// Source: RFC 9649. The canvas is checked before memory is taken; a lossless image needs four
// bytes a pixel more while it is decoded.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/preprocess/image.h"

namespace assay {

bool looks_like_webp(std::span<const std::byte> bytes);
Image decode_webp(std::span<const std::byte> bytes, const std::string& name);  // upright

}  // namespace assay
