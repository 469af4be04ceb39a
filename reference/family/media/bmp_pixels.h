// SPDX-License-Identifier: Apache-2.0
// The pixels of a BMP file in the order in which they are stored; bmp_file.h reads the header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/family/preprocess/image.h"

namespace assay {

// Rows of `bits` a pixel, each filled up to four bytes.
struct BmpRows {
  std::span<const std::byte> bytes;
  std::size_t at;  // of the first row
  ImageSize size;
  std::uint64_t bits;
  const std::string& name;

  // Of 1, 4 or 8 bits each.
  std::vector<std::uint8_t> indices(std::uint64_t width_of_index) const;

  // Of 16, 24 or 32 bits; `masks` of red, green, blue and alpha, nothing for the usual ones.
  std::vector<std::uint8_t> rgb(const std::optional<std::array<std::uint64_t, 4>>& masks) const;

 private:
  std::span<const std::byte> row(std::size_t y, std::size_t length) const;
};

// Indices from run lengths of 8 bits, or of 4.
std::vector<std::uint8_t> bmp_run_lengths(std::span<const std::byte> bytes, std::size_t at,
                                          ImageSize size, bool four_bits, const std::string& name);

}  // namespace assay
