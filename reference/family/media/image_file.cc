// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/image_file.h"

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/jpeg_file.h"
#include "reference/family/media/png_file.h"

namespace assay {

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
  return looks_like_png(bytes) || looks_like_jpeg(bytes);
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name) {
  if (looks_like_png(bytes)) {
    return decode_png(bytes, name);
  }
  if (looks_like_jpeg(bytes)) {
    return decode_jpeg(bytes, name);
  }
  throw Error(name + ": image: got " + first_bytes_text(bytes) + ", expected PNG or JPEG");
}

}  // namespace assay
