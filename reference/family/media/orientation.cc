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

std::size_t value_width(std::uint64_t type) {
  return type == kByte ? 1 : type == kShort ? 2 : type == kLong ? 4 : 0;
}

}  // namespace

std::optional<int> exif_orientation(Bytes exif) {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  const Bytes tiff = has_text(exif, 0, kPrefix) ? exif.subspan(kPrefix.size()) : exif;
  const bool little = has_text(tiff, 0, "II");
  if (tiff.size() < kTiffHeader || !(little || has_text(tiff, 0, "MM"))) {
    return {};
  }
  const auto number = [&](std::size_t at, std::size_t width) {
    return little ? little_endian(tiff, at, width) : big_endian(tiff, at, width);
  };
  const std::size_t directory = number(4, 4);
  if (number(2, 2) != 42 || directory + 2 > tiff.size()) {
    return {};
  }
  std::optional<int> orientation;
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

std::optional<int> xmp_orientation(Bytes xmp) {
  constexpr std::string_view kProperty = "tiff:Orientation";
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  for (std::size_t at = 0; (at = text.find(kProperty, at)) != text.npos;) {
    at += kProperty.size();
    const std::string_view rest = text.substr(at);
    const std::size_t mark = rest.starts_with("=\"") ? 2 : rest.starts_with(">") ? 1 : 0;
    if (mark > 0 && rest.size() > mark && rest[mark] >= '0' && rest[mark] <= '9') {
      const int value = rest[mark] - '0';
      return value >= 1 && value <= 8 ? value : 1;
    }
  }
  return {};
}

int orientation_of(const OrientationBlocks& blocks) {
  const auto exif = exif_orientation(blocks.exif);
  return exif ? *exif : xmp_orientation(blocks.xmp).value_or(1);
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
