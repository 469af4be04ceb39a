// SPDX-License-Identifier: Apache-2.0
// PNG, JPEG, WebP, GIF, BMP and TIFF files to upright 8-bit RGB images, and images to PNG files.
//
// A format is told by the content. Of several images the first counts. Orientation is taken from
// EXIF or XMP; grey, palette and CMYK images are converted; alpha is dropped, not composited (spec
// multimodal 2.1). Each byte is that of Pillow's exif_transpose and convert("RGB"). Spec: RI-1.
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
#include <string_view>

#include "reference/family/preprocess/image.h"

namespace assay {

inline constexpr std::string_view kImageFormats = "PNG, JPEG, WebP, GIF, BMP or TIFF";

constexpr std::size_t kMaxImageSide = 1u << 17;  // pixels
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION  // of conformance/fuzz: small, for many inputs
constexpr std::size_t kMaxImagePixels = 1u << 18;
#else
constexpr std::size_t kMaxImagePixels = 100'000'000;  // 300 MB of RGB
#endif
constexpr std::size_t kMaxImageFileBytes = 256u << 20;

// Throws Error for a side of zero or beyond kMaxImageSide, and for too many pixels.
void check_image_size(ImageSize size, const std::string& name);

bool looks_like_image(std::span<const std::byte> bytes);  // by its first bytes
Image decode_image(std::span<const std::byte> bytes, const std::string& name);
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace assay
