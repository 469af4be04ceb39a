// SPDX-License-Identifier: Apache-2.0
// PNG through libpng. Its errors come back as assay::Error; its warnings are not passed on.
//
//   grey of 1, 2, 4, 8 bits   scaled to 0 ... 255, repeated    palette   looked up
//   grey of 16 bits           min(v, 255), repeated            colour of 16 bits   the high byte
// Alpha, transparent colours, gamma and profiles are ignored. All of it is what Pillow's
// convert("RGB") gives; 16-bit grey is clipped there, not scaled.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/preprocess/image.h"

namespace assay {

bool looks_like_png(std::span<const std::byte> bytes);
Image decode_png(std::span<const std::byte> bytes, const std::string& name);  // upright

}  // namespace assay
