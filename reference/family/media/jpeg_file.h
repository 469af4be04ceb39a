// SPDX-License-Identifier: Apache-2.0
// JPEG through libjpeg-turbo with its defaults (slow integer DCT, smooth upsampling of chroma).
//
// Grey is repeated. Of four components the stored values count as inverted, as Adobe's programs
// write them and Pillow reads them: with c, m, y, k the values after that inversion, in 0 ... 255,
//   R = max(0, (255 - k) - round(c (255 - k) / 255)),   G and B alike from m and y
// What libjpeg only warns of (a premature end, a bad code) is an error here.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/preprocess/image.h"

namespace assay {

constexpr std::size_t kMaxJpegScans = 100;  // a progressive image has about ten

bool looks_like_jpeg(std::span<const std::byte> bytes);
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name);  // upright

}  // namespace assay
