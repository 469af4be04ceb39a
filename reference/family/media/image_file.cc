// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/image_file.h"

#include <algorithm>
#include <array>

#include "reference/family/base/error.h"
#include "reference/family/media/bmp_file.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/gif_file.h"
#include "reference/family/media/jpeg_file.h"
#include "reference/family/media/png_file.h"
#include "reference/family/media/tiff_file.h"
#include "reference/family/media/webp_file.h"

namespace assay {
namespace {

struct Format {
  bool (*looks_like)(std::span<const std::byte>);
  Image (*decode)(std::span<const std::byte>, const std::string&);
};

constexpr std::array kFormats = {
    Format{looks_like_png, decode_png},   Format{looks_like_jpeg, decode_jpeg},
    Format{looks_like_webp, decode_webp}, Format{looks_like_gif, decode_gif},
    Format{looks_like_tiff, decode_tiff}, Format{looks_like_bmp, decode_bmp},
};

const Format* format_of(std::span<const std::byte> bytes) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](const Format& format) { return format.looks_like(bytes); });
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace

void check_image_size(ImageSize size, const std::string& name) {
  const std::string got =
      std::to_string(size.width) + " x " + std::to_string(size.height) + " pixels";
  if (size.width == 0 || size.height == 0 || size.width > kMaxImageSide ||
      size.height > kMaxImageSide) {
    throw Error(name + ": size: got " + got + ", expected sides of 1 to " +
                std::to_string(kMaxImageSide));
  }
  if (size.width > kMaxImagePixels / size.height) {
    throw Error(name + ": size: got " + got + ", expected at most " +
                std::to_string(kMaxImagePixels) + " in all");
  }
}

bool looks_like_image(std::span<const std::byte> bytes) {
  return format_of(bytes) != nullptr;
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name) {
  const Format* format = format_of(bytes);
  if (format == nullptr) {
    throw Error(name + ": image: " + got_kind_text(bytes, name, kImageFormats));
  }
  return format->decode(bytes, name);
}

}  // namespace assay
