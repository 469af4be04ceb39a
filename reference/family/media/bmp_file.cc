// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/bmp_file.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/media/bmp_pixels.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/image_file.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kFileHeader = 14;
constexpr std::uint64_t kPlain = 0, kRle8 = 1, kRle4 = 2, kMasks = 3;

struct Header {
  ImageSize size;
  bool top_down = false;
  std::size_t length = 0;  // of the header that follows the first 14 bytes
  std::uint64_t bits = 0, coding = kPlain, colours = 0;
  std::array<std::uint64_t, 4> masks = {};  // red, green, blue, alpha
  std::size_t palette_at = 0, palette_entry = 4, pixels_at = 0;
};

Error bad_header(const std::string& name, const std::string& got, const std::string& expected) {
  return Error(name + ": BMP header: got " + got + ", expected " + expected);
}

void need(Bytes bytes, std::size_t count, const std::string& name) {
  if (bytes.size() < count) {
    throw bad_header(name, std::to_string(bytes.size()) + " bytes",
                     "at least " + std::to_string(count));
  }
}

void read_sizes(Bytes bytes, Header& header) {
  const auto number = [&](std::size_t at, std::size_t width) {
    return little_endian(bytes, kFileHeader + at, width);
  };
  if (header.length == 12) {
    header.size = {number(6, 2), number(4, 2)};
    header.bits = number(10, 2);
    header.palette_entry = 3;
    return;
  }
  const std::uint64_t height = number(8, 4);
  header.top_down = height >> 24 == 0xFF;
  header.size = {header.top_down ? (std::uint64_t{1} << 32) - height : height, number(4, 4)};
  header.bits = number(14, 2);
  header.coding = number(16, 4);
  header.colours = number(32, 4);
}

// The masks stand in the header from 52 bytes on; a header of 40 has three after it.
void read_masks(Bytes bytes, Header& header, const std::string& name) {
  if (header.coding != kMasks || header.length == 12) {
    return;
  }
  if (header.length == 40) {
    need(bytes, header.palette_at + 12, name);
    header.palette_at += 12;
  }
  const std::size_t count = header.length >= 56 ? 4 : 3;
  for (std::size_t i = 0; i < count; ++i) {
    header.masks[i] = little_endian(bytes, kFileHeader + 40 + 4 * i, 4);
  }
}

Header read_header(Bytes bytes, const std::string& name) {
  need(bytes, kFileHeader + 12, name);
  Header header;
  header.length = little_endian(bytes, kFileHeader, 4);
  constexpr std::array<std::size_t, 7> kLengths = {12, 40, 52, 56, 64, 108, 124};
  if (std::find(kLengths.begin(), kLengths.end(), header.length) == kLengths.end()) {
    throw bad_header(name, "a header of " + std::to_string(header.length) + " bytes",
                     "one of 12, 40, 52, 56, 64, 108 or 124");
  }
  need(bytes, kFileHeader + header.length, name);
  read_sizes(bytes, header);
  check_image_size(header.size, name);
  constexpr std::array<std::uint64_t, 6> kDepths = {1, 4, 8, 16, 24, 32};
  if (std::find(kDepths.begin(), kDepths.end(), header.bits) == kDepths.end()) {
    throw bad_header(name, std::to_string(header.bits) + " bits", "1, 4, 8, 16, 24 or 32");
  }
  header.colours = header.colours != 0 ? header.colours : std::uint64_t{1} << header.bits;
  header.palette_at = kFileHeader + header.length;
  header.pixels_at = little_endian(bytes, 10, 4);
  if (header.pixels_at == header.palette_at && header.bits <= 8) {
    header.pixels_at += 4 * std::min<std::uint64_t>(header.colours, bytes.size());
  }
  read_masks(bytes, header, name);
  return header;
}

struct Palette {
  std::array<std::array<std::uint8_t, 3>, 256> rgb = {};
  std::uint64_t row_bits = 8;  // of a pixel in a plain row
};

// A palette that only counts up is left aside: its rows hold greys, or bits where it has two.
Palette read_palette(Bytes bytes, Header& header, const std::string& name) {
  if (header.colours > 65536) {
    throw bad_header(name, std::to_string(header.colours) + " colours", "at most 65536");
  }
  const std::size_t length = header.palette_entry * header.colours;
  need(bytes, header.palette_at + length, name);
  Palette palette;
  palette.row_bits = header.bits;
  bool counts_up = true;
  for (std::size_t i = 0; i < palette.rgb.size(); ++i) {
    palette.rgb[i].fill(static_cast<std::uint8_t>(i));
    const std::size_t at = header.palette_at + i * header.palette_entry;
    for (std::size_t k = 0; i < header.colours && k < 3; ++k) {
      const auto value = std::to_integer<std::uint8_t>(bytes[at + 2 - k]);
      counts_up = counts_up && value == (header.colours == 2 && i == 1 ? 255 : i);
      palette.rgb[i][k] = value;
    }
  }
  counts_up = counts_up && header.colours <= palette.rgb.size();
  if (counts_up) {
    palette.row_bits = header.colours == 2 ? 1 : 8;
  }
  header.pixels_at = header.pixels_at != 0 ? header.pixels_at : header.palette_at + length;
  return palette;
}

std::vector<std::uint8_t> read_indices(Bytes bytes, const Header& header, const Palette& palette,
                                       const std::string& name) {
  if (header.coding == kRle4 || header.coding == kRle8) {
    return bmp_run_lengths(bytes, header.pixels_at, header.size, header.coding == kRle4, name);
  }
  const BmpRows rows{bytes, header.pixels_at, header.size, header.bits, name};
  return rows.indices(palette.row_bits);
}

}  // namespace

bool looks_like_bmp(Bytes bytes) {
  // "BM" alone is also how a text may begin.
  return has_text(bytes, 0, "BM") && bytes.size() >= kFileHeader + 4 &&
         little_endian(bytes, kFileHeader, 4) <= 255;
}

Image decode_bmp(Bytes bytes, const std::string& name) {
  Header header = read_header(bytes, name);
  const bool indexed = header.bits <= 8;
  const bool coded = header.coding == kRle8 || header.coding == kRle4;
  if (header.coding > kMasks || (coded && !indexed) || (header.coding == kMasks && indexed)) {
    throw bad_header(
        name,
        "coding " + std::to_string(header.coding) + " of " + std::to_string(header.bits) + " bits",
        "0 (plain), 1 or 2 (run lengths of 8 and 4 bits) or 3 (masks)");
  }
  Image image;
  image.size = header.size;
  if (indexed) {
    const Palette palette = read_palette(bytes, header, name);
    const std::vector<std::uint8_t> indices = read_indices(bytes, header, palette, name);
    const bool bits = !coded && palette.row_bits == 1 && header.colours == 2;
    image.rgb.reserve(indices.size() * 3);
    for (const std::uint8_t index : indices) {
      const auto& colour = palette.rgb[bits ? index & 1 : index];
      image.rgb.insert(image.rgb.end(), colour.begin(), colour.end());
    }
  } else {
    header.pixels_at = header.pixels_at != 0 ? header.pixels_at : header.palette_at;
    const BmpRows rows{bytes, header.pixels_at, header.size, header.bits, name};
    image.rgb = rows.rgb(header.coding == kMasks ? std::optional(header.masks) : std::nullopt);
  }
  if (!header.top_down) {
    const std::size_t row = image.size.width * 3;
    for (std::size_t y = 0; y < image.size.height / 2; ++y) {
      std::swap_ranges(image.rgb.data() + y * row, image.rgb.data() + (y + 1) * row,
                       image.rgb.data() + (image.size.height - 1 - y) * row);
    }
  }
  return image;
}

}  // namespace assay
