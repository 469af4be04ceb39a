// SPDX-License-Identifier: Apache-2.0
// Samples of a TIFF image become RGB; tiff_file.h says how.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace assay {

enum class TiffColour { kGrey, kGreyInverted, kRgb, kPalette, kCmyk, kYcbcr };
enum class TiffNumber { kUnsigned, kSigned, kFloat };

struct TiffLayout {
  TiffColour colour = TiffColour::kGrey;
  TiffNumber number = TiffNumber::kUnsigned;
  std::size_t bits = 1;               // of a sample
  std::size_t samples = 1;            // of a pixel
  bool multiplied = false;            // colours by the alpha after them
  std::vector<std::uint8_t> palette;  // [2^bits, 3]

  std::size_t colours() const;  // samples that count: 1, 3 or 4
};

// Throws Error for what Pillow does not read either.
void check_layout(const TiffLayout& layout, const std::string& name);

// `count` pixels of rows as libtiff gives them (16 and 32 bits in the byte order of the machine).
// Samples side by side: one row. In planes: a row for each.
void tiff_pixels(const TiffLayout& layout, std::span<const std::span<const std::uint8_t>> rows,
                 std::size_t count, std::uint8_t* rgb);

}  // namespace assay
