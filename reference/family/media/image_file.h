// SPDX-License-Identifier: Apache-2.0
// PNG and JPEG files to upright 8-bit RGB images, and images to PNG files.
//
// Orientation is taken from EXIF; grey, palette and CMYK images are converted; alpha is dropped,
// not composited (spec multimodal 2.1). Spec: RI-1.
//
// Files are untrusted: dimensions are checked before memory is taken, a truncated file is an error.
// Every error is an assay::Error "name: thing: got X, expected Y".
//
// The largest image needs 300 MB, twice that while it is turned upright; a progressive JPEG of
// that size needs up to 1 GiB more while it is decoded.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "reference/family/preprocess/image.h"

namespace assay {

constexpr std::size_t kMaxImageSide = 1u << 17;       // pixels
constexpr std::size_t kMaxImagePixels = 100'000'000;  // 300 MB of RGB
constexpr std::size_t kMaxImageFileBytes = 256u << 20;

// Throws Error for a side of zero or beyond kMaxImageSide, and for too many pixels.
void check_image_size(ImageSize size, const std::string& name);

bool looks_like_image(std::span<const std::byte> bytes);  // by its first bytes
Image decode_image(std::span<const std::byte> bytes, const std::string& name);
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace assay
