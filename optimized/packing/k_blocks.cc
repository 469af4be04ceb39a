// SPDX-License-Identifier: Apache-2.0
#include "optimized/packing/k_blocks.h"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "optimized/packing/interleave.h"
#include "optimized/packing/packed_weight.h"
#include "reference/family/checkpoint/ggml_blocks.h"

namespace assay::cpu {
namespace {

int byte_at(const std::byte* from) {
  return std::to_integer<int>(*from);
}

void pack_scales(const std::byte* six_bits, std::size_t row, std::byte* scales, std::byte* minima) {
  for (int j = 0; j < 8; ++j) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(six_bits);
    const auto [scale, minimum] = k_scale_and_minimum(bytes, j);
    const std::size_t at = static_cast<std::size_t>(j) * kTileRows + row;
    scales[at] = static_cast<std::byte>(scale);
    minima[at] = static_cast<std::byte>(minimum);
  }
}

void pack_block(KType type, const std::byte* from, std::size_t row, std::byte* to) {
  const KPlaces at = k_places(type);
  if (type == KType::kQ6) {
    std::memcpy(to + 2 * row, from + 208, 2);
    for (std::size_t i = 0; i < 16; ++i) {
      to[at.scales + i * kTileRows + row] = from[192 + i];
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t place = half * kHalfWords * kTileRows * 4;
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

int code_of(KType type, const std::byte* block, std::size_t r, std::size_t j, std::size_t l) {
  const KPlaces at = k_places(type);
  const KCodes codes = k_codes_of(type, j);
  const auto byte = [&](std::size_t place, std::size_t first) {
    return byte_at(block + place + ((first + l / 4) * kTileRows + r) * 4 + l % 4);
  };
  const int low = byte(at.low, codes.low) >> codes.low_shift & 15;
  const int high =
      byte(at.high, codes.high) >> codes.high_shift & static_cast<int>(codes.high_mask);
  return low | high << 4;
}

// Element l of sub-block j of row r.
float element(KType type, const std::byte* block, std::size_t r, std::size_t j, std::size_t l) {
  const KPlaces at = k_places(type);
  const auto integer = [&](std::size_t place, std::size_t i) {
    return byte_at(block + place + i * kTileRows + r);
  };
  const float d = half_at(block + 2 * r);
  const int code = code_of(type, block, r, j, l);
  if (type == KType::kQ6) {
    const auto scale = static_cast<std::int8_t>(integer(at.scales, 2 * j + l / 16));
    return d * static_cast<float>(scale) * static_cast<float>(code - 32);
  }
  const auto scale = static_cast<float>(integer(at.scales, j));
  const auto minimum = static_cast<float>(integer(at.minima, j));
  return d * scale * static_cast<float>(code) - half_at(block + at.minimum + 2 * r) * minimum;
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
