// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/orientation.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "reference/family/media/file_bytes.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kTiffHeader = 8;  // byte order, 42, offset of the first directory
constexpr std::size_t kEntry = 12;      // tag, type, count, value
constexpr std::uint64_t kOrientationTag = 0x0112;
constexpr std::uint64_t kByte = 1, kShort = 3, kLong = 4;  // types of a value

constexpr std::uint8_t kApp1 = 0xE1, kStartOfScan = 0xDA, kEndOfImage = 0xD9;

std::size_t value_width(std::uint64_t type) {
  return type == kByte ? 1 : type == kShort ? 2 : type == kLong ? 4 : 0;
}

bool is_alone(std::uint8_t marker) {  // without a length: restarts, start of image, TEM
  return (marker >= 0xD0 && marker <= 0xD8) || marker == 0x01;
}

}  // namespace

int exif_orientation(Bytes tiff) {
  const bool little = has_text(tiff, 0, "II");
  if (tiff.size() < kTiffHeader || !(little || has_text(tiff, 0, "MM"))) {
    return 1;
  }
  const auto number = [&](std::size_t at, std::size_t width) {
    return little ? little_endian(tiff, at, width) : big_endian(tiff, at, width);
  };
  const std::size_t directory = number(4, 4);
  if (number(2, 2) != 42 || directory + 2 > tiff.size()) {
    return 1;
  }
  int orientation = 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntry;
    if (at + kEntry > tiff.size()) {
      break;
    }
    const std::size_t width = value_width(number(at + 2, 2));
    if (number(at, 2) == kOrientationTag && width > 0 && number(at + 4, 4) == 1) {
      const std::uint64_t value = number(at + 8, width);
      orientation = value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
  }
  return orientation;
}

int jpeg_orientation(Bytes jpeg) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  std::vector<std::byte> tiff;  // long EXIF data goes on in further segments
  for (std::size_t at = 0; at + 4 <= jpeg.size();) {
    const auto marker = std::to_integer<std::uint8_t>(jpeg[at + 1]);
    if (jpeg[at] != std::byte{0xFF} || marker == kStartOfScan || marker == kEndOfImage) {
      break;
    }
    if (marker == 0xFF || is_alone(marker)) {  // 0xFF: a fill byte before the marker
      at += marker == 0xFF ? 1 : 2;
      continue;
    }
    const std::size_t length = big_endian(jpeg, at + 2, 2);
    if (length < 2 || at + 2 + length > jpeg.size()) {
      break;
    }
    if (marker == kApp1 && length >= 2 + kExif.size() && has_text(jpeg, at + 4, kExif)) {
      const Bytes body = jpeg.subspan(at + 4 + kExif.size(), length - 2 - kExif.size());
      tiff.insert(tiff.end(), body.begin(), body.end());
    }
    at += 2 + length;
  }
  return exif_orientation(tiff);
}

Image upright(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) {
    return image;
  }
  const bool transposed = orientation >= 5;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const auto [stored_height, stored_width] = image.size;
  Image shown{
      {transposed ? stored_width : stored_height, transposed ? stored_height : stored_width},
      std::vector<std::uint8_t>(image.rgb.size())};
  std::uint8_t* out = shown.rgb.data();
  for (std::size_t y = 0; y < shown.size.height; ++y) {
    for (std::size_t x = 0; x < shown.size.width; ++x, out += 3) {
      const std::size_t down = transposed ? x : y;
      const std::size_t across = transposed ? y : x;
      const std::size_t row = from_bottom ? stored_height - 1 - down : down;
      const std::size_t column = from_right ? stored_width - 1 - across : across;
      std::copy_n(image.rgb.data() + (row * stored_width + column) * 3, 3, out);
    }
  }
  return shown;
}

}  // namespace assay
