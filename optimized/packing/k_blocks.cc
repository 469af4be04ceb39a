// SPDX-License-Identifier: Apache-2.0
#include "optimized/packing/k_blocks.h"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "reference/family/base/number_formats.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kRowsOfTile = 16;

int byte_at(const std::byte* from) {
  return std::to_integer<int>(*from);
}

// Words of one row to their places among those of 16.
void spread(const std::byte* from, std::size_t words, std::size_t row, std::byte* to) {
  for (std::size_t g = 0; g < words; ++g) {
    std::memcpy(to + (g * kRowsOfTile + row) * 4, from + 4 * g, 4);
  }
}

// Scales and minima of q4_K and q5_K, six bits each: bytes 0 to 3 and 4 to 7 have those of the
// first four, and in their upper two bits the upper bits of the others, whose lower four are in
// bytes 8 to 11.
void pack_scales(const std::byte* six_bits, std::size_t row, std::byte* scales, std::byte* minima) {
  for (std::size_t j = 0; j < 8; ++j) {
    int scale = 0;
    int minimum = 0;
    if (j < 4) {
      scale = byte_at(six_bits + j) & 63;
      minimum = byte_at(six_bits + j + 4) & 63;
    } else {
      const int low = byte_at(six_bits + j + 4);
      scale = (low & 15) | byte_at(six_bits + j - 4) >> 6 << 4;
      minimum = low >> 4 | byte_at(six_bits + j) >> 6 << 4;
    }
    scales[j * kRowsOfTile + row] = static_cast<std::byte>(scale);
    minima[j * kRowsOfTile + row] = static_cast<std::byte>(minimum);
  }
}

void pack_block(KType type, const std::byte* from, std::size_t row, std::byte* to) {
  const KPlaces at = k_places(type);
  if (type == KType::kQ6) {
    std::memcpy(to + 2 * row, from + 208, 2);
    for (std::size_t i = 0; i < 16; ++i) {
      to[at.scales + i * kRowsOfTile + row] = from[192 + i];
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t place = half * kHalfWords * kRowsOfTile * 4;
      spread(from + 64 * half, 16, row, to + at.low + place);
      spread(from + 128 + 32 * half, 8, row, to + at.high + place);
    }
    return;
  }
  std::memcpy(to + 2 * row, from, 2);
  std::memcpy(to + at.minimum + 2 * row, from + 2, 2);
  pack_scales(from + 4, row, to + at.scales, to + at.minima);
  if (type == KType::kQ5) {
    spread(from + 16, 8, row, to + at.high);
  }
  spread(from + (type == KType::kQ5 ? 48 : 16), 32, row, to + at.low);
}

float half_at(const std::byte* at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, 2);
  return float_from_f16(bits);
}

// Element l of sub-block j of row r.
float element(KType type, const std::byte* block, std::size_t r, std::size_t j, std::size_t l) {
  const KPlaces at = k_places(type);
  const auto word = [&](std::size_t place, std::size_t first) {
    return byte_at(block + place + ((first + l / 4) * kRowsOfTile + r) * 4 + l % 4);
  };
  const float d = half_at(block + 2 * r);
  if (type == KType::kQ6) {
    const std::size_t p = j % 4;
    const int low = word(at.low, kHalfWords * (j / 4) + 8 * (p % 2)) >> 4 * (p / 2) & 15;
    const int code = low | (word(at.high, kHalfWords * (j / 4)) >> 2 * p & 3) << 4;
    const int scale = byte_at(block + at.scales + (2 * j + l / 16) * kRowsOfTile + r);
    return d * static_cast<float>(static_cast<std::int8_t>(scale)) * static_cast<float>(code - 32);
  }
  int code = word(at.low, 8 * (j / 2)) >> 4 * (j % 2) & 15;
  if (type == KType::kQ5) {
    code |= (word(at.high, 0) >> j & 1) << 4;
  }
  const int scale = byte_at(block + at.scales + j * kRowsOfTile + r);
  const int minimum = byte_at(block + at.minima + j * kRowsOfTile + r);
  return d * static_cast<float>(scale) * static_cast<float>(code) -
         half_at(block + at.minimum + 2 * r) * static_cast<float>(minimum);
}

}  // namespace

std::optional<KType> k_type(DType stored) {
  const std::string_view name = dtype_name(stored);
  if (name == "Q4_K") {
    return KType::kQ4;
  }
  if (name == "Q5_K") {
    return KType::kQ5;
  }
  return name == "Q6_K" ? std::optional(KType::kQ6) : std::nullopt;
}

void pack_k_tile(KType type, const std::byte* rows, std::size_t row_bytes, std::size_t count,
                 std::size_t columns, std::byte* to) {
  const std::size_t blocks = columns / kSuperBlock;
  const std::size_t stored = row_bytes / blocks;
  const std::size_t packed = k_places(type).bytes;
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t b = 0; b < blocks; ++b) {
      pack_block(type, rows + r * row_bytes + b * stored, r, to + b * packed);
    }
  }
}

void unpack_k_row(KType type, const std::byte* tile, std::size_t r, std::size_t columns,
                  float* out) {
  const std::size_t packed = k_places(type).bytes;
  for (std::size_t k = 0; k < columns; ++k) {
    out[k] = element(type, tile + k / kSuperBlock * packed, r, k % kSuperBlock / 32, k % 32);
  }
}

}  // namespace assay::cpu
