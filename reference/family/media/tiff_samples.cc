// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/tiff_samples.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "reference/family/base/error.h"

namespace assay {
namespace {

using Row = std::span<const std::uint8_t>;

template <class T>
T stored(Row row, std::size_t index) {
  T value;
  std::memcpy(&value, row.data() + index * sizeof(T), sizeof(T));
  return value;
}

std::uint8_t clipped(double value) {  // towards zero; not a number becomes 0
  return value >= 255 ? 255 : value > 0 ? static_cast<std::uint8_t>(value) : std::uint8_t{0};
}

std::uint32_t small_bits(Row row, std::size_t index, std::size_t bits) {
  std::uint32_t value = 0;
  for (std::size_t bit = index * bits; bit < (index + 1) * bits; ++bit) {
    value = value << 1 | (row[bit / 8] >> (7 - bit % 8) & 1u);
  }
  return value;
}

// Of grey: 1 to 8 bits scaled, more clipped.
std::uint8_t grey_of(const TiffLayout& layout, Row row, std::size_t index) {
  const bool with_sign = layout.number == TiffNumber::kSigned;
  switch (layout.bits) {
    case 8:
      return row[index];
    case 12:
      return clipped(small_bits(row, index, 12));
    case 16:
      return clipped(with_sign ? stored<std::int16_t>(row, index)
                               : stored<std::uint16_t>(row, index));
    case 32:
      return clipped(layout.number == TiffNumber::kFloat
                         ? static_cast<double>(stored<float>(row, index))
                         : static_cast<double>(stored<std::int32_t>(row, index)));
    default:
      return static_cast<std::uint8_t>(small_bits(row, index, layout.bits) * 255u /
                                       ((1u << layout.bits) - 1));
  }
}

std::uint8_t colour_of(const TiffLayout& layout, Row row, std::size_t index) {
  return layout.bits == 16 ? static_cast<std::uint8_t>(stored<std::uint16_t>(row, index) >> 8)
                           : row[index];
}

void cmyk_pixel(const std::array<std::uint8_t, 4>& ink, std::uint8_t* rgb) {
  const int white = 255 - ink[3];
  for (std::size_t k = 0; k < 3; ++k) {
    rgb[k] = static_cast<std::uint8_t>(std::max(0, white - (2 * ink[k] * white + 255) / 510));
  }
}

void undo_alpha(std::uint8_t alpha, std::uint8_t* rgb) {
  for (std::size_t k = 0; k < 3; ++k) {
    rgb[k] = alpha == 0 ? std::uint8_t{0}
                        : static_cast<std::uint8_t>(std::min(255, 255 * rgb[k] / alpha));
  }
}

}  // namespace

std::size_t TiffLayout::colours() const {
  return colour == TiffColour::kRgb || colour == TiffColour::kYcbcr ? 3
         : colour == TiffColour::kCmyk                              ? 4
                                                                    : 1;
}

void check_layout(const TiffLayout& layout, const std::string& name) {
  const std::size_t bits = layout.bits;
  const bool small = bits == 1 || bits == 2 || bits == 4 || bits == 8;
  const bool whole = layout.number != TiffNumber::kFloat;
  const bool grey =
      layout.colour == TiffColour::kGrey || layout.colour == TiffColour::kGreyInverted;
  const bool known =
      grey ? (small && whole) || (bits == 12 && whole) || (bits == 16 && whole) || bits == 32
      : layout.colour == TiffColour::kPalette ? small && whole
                                              : (bits == 8 || bits == 16) && whole;
  if (!known || layout.samples < layout.colours()) {
    throw Error(
        name + ": TIFF samples: got " + std::to_string(layout.samples) + " of " +
        std::to_string(bits) + " bits" + (whole ? "" : " (floats)") +
        ", expected grey of 1 to 16 or 32 bits, a palette of 1 to 8, or colours of 8 or 16");
  }
}

void tiff_pixels(const TiffLayout& layout, std::span<const Row> rows, std::size_t count,
                 std::uint8_t* rgb) {
  const bool planes = rows.size() > 1;
  const std::size_t step = planes ? 1 : layout.samples;
  for (std::size_t x = 0; x < count; ++x, rgb += 3) {
    const auto colour = [&](std::size_t k) {
      return colour_of(layout, rows[planes ? k : 0], x * step + (planes ? 0 : k));
    };
    switch (layout.colour) {
      case TiffColour::kGrey:
        std::fill_n(rgb, 3, grey_of(layout, rows[0], x * step));
        break;
      case TiffColour::kGreyInverted: {
        const std::uint8_t grey = grey_of(layout, rows[0], x * step);
        // Pillow inverts up to eight bits.
        std::fill_n(rgb, 3, layout.bits <= 8 ? static_cast<std::uint8_t>(255 - grey) : grey);
        break;
      }
      case TiffColour::kPalette: {
        const std::size_t index = small_bits(rows[0], x * step, layout.bits);
        std::copy_n(layout.palette.data() + 3 * index, 3, rgb);
        break;
      }
      case TiffColour::kCmyk:
        cmyk_pixel({colour(0), colour(1), colour(2), colour(3)}, rgb);
        break;
      case TiffColour::kRgb:
      case TiffColour::kYcbcr:
        for (std::size_t k = 0; k < 3; ++k) {
          rgb[k] = colour(k);
        }
        if (layout.multiplied) {
          undo_alpha(colour(3), rgb);
        }
    }
  }
}

}  // namespace assay
