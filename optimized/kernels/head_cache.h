// SPDX-License-Identifier: Apache-2.0
// The keys and values of one head, as attention reads them.
//
//   keys    [slots/16][head_dim][16]           so that a score needs no sum across lanes
//   values  [slots/64][head_dim/16][64][16]    the last channels padded
//
// of f32, bf16 or, in q8_0, codes of 8 bits: 32 channels of one key or value share a scale, f16(max
// |x| / 127), the last block of a row may be shorter. The scales lie after the codes,
//
//   keys    [slots/16][head_dim/32][16]        values  [slots/64][head_dim/32][64]
//
// Source of q8_0: ggml, quantize_row_q8_0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::cpu {

constexpr std::size_t kKeyBlock = 64;  // a ring of keys has a multiple of this many slots
constexpr std::size_t kKeyGroup = 16;
constexpr std::size_t kScaledChannels = 32;  // of q8_0

enum class CacheType { kF32, kBf16, kQ8_0 };

// Numbers from one value of a cache to the next.
constexpr std::size_t value_stride(std::size_t head_dim) {
  return (head_dim + kKeyGroup - 1) / kKeyGroup * kKeyGroup;
}

// Scales of one key or value.
constexpr std::size_t scale_count(std::size_t head_dim) {
  return (head_dim + kScaledChannels - 1) / kScaledChannels;
}

// Token i lies in slot i mod slots.
struct HeadCache {
  CacheType type = CacheType::kF32;
  std::size_t slots = 0;  // a multiple of kKeyBlock
  std::size_t head_dim = 0;
  std::byte* keys = nullptr;
  std::byte* values = nullptr;
  std::uint16_t* key_scales = nullptr;  // of q8_0
  std::uint16_t* value_scales = nullptr;
};

// A cache in head_bytes of memory.
std::size_t head_bytes(CacheType type, std::size_t slots, std::size_t head_dim);
HeadCache head_cache(CacheType type, std::size_t slots, std::size_t head_dim, std::byte* memory);
// Of a number and its share of a scale: 4, 2, 1.0625.
double cached_bytes(CacheType type);

// Writes key and value of token `index`; in q8_0 they must be finite.
void store_key_value(const HeadCache& cache, std::size_t index, const float* key,
                     const float* value);
void load_key(const HeadCache& cache, std::size_t index, float* key);
void load_value(const HeadCache& cache, std::size_t index, float* value);

}  // namespace assay::cpu
