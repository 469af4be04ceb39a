// SPDX-License-Identifier: Apache-2.0
// Bytes of single rows among those of a tile of 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "optimized/packing/packed_weight.h"
#include "reference/family/base/number_formats.h"

namespace assay::cpu {

// Words of one row of a block to their places in the tile; `flip` is xored into each.
inline void spread(const std::byte* from, std::size_t words, std::size_t row, std::byte* to,
                   std::uint32_t flip = 0) {
  for (std::size_t g = 0; g < words; ++g) {
    std::uint32_t word = 0;
    std::memcpy(&word, from + 4 * g, 4);
    word ^= flip;
    std::memcpy(to + g * kTileRows * 4 + row * 4, &word, 4);
  }
}

inline float half_at(const std::byte* at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, 2);
  return float_from_f16(bits);
}

}  // namespace assay::cpu
