// SPDX-License-Identifier: Apache-2.0
// GIF through giflib: the first frame, on a canvas of the screen and the frame together.
//
//   pixel = palette[index],   the frame's palette, or else the file's, or else index as grey
//   around the frame          the transparent index of the frame, or else 0
// Transparent pixels keep their colour, and the background colour is not looked at: both as
// Pillow's convert("RGB") has it, bit for bit. Source: GIF89a Specification.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/preprocess/image.h"

namespace assay {

bool looks_like_gif(std::span<const std::byte> bytes);
Image decode_gif(std::span<const std::byte> bytes, const std::string& name);

}  // namespace assay
