// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/head_cache.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/ggml_blocks.h"

namespace assay::cpu {
namespace {

constexpr std::size_t scales_of(std::size_t head_dim) {
  return (head_dim + kScaledChannels - 1) / kScaledChannels;
}

std::size_t number_bytes(CacheType type) {
  return type == CacheType::kF32 ? sizeof(float) : type == CacheType::kBf16 ? 2 : 1;
}

// Where one row of a cache lies: channel c at first + c_at(c), the scale of block b at scale + b *
// between.
struct Place {
  std::byte* array;
  std::uint16_t* scales;
  std::size_t first, scale, between;
  std::size_t (*channel_at)(std::size_t c);
};

Place key_place(const HeadCache& cache, std::size_t index) {
  const std::size_t slot = index % cache.slots;
  const std::size_t group = slot / kKeyGroup * kKeyGroup;
  return {cache.keys,
          cache.key_scales,
          group * cache.head_dim + slot % kKeyGroup,
          group * scales_of(cache.head_dim) + slot % kKeyGroup,
          kKeyGroup,
          [](std::size_t c) { return c * kKeyGroup; }};
}

Place value_place(const HeadCache& cache, std::size_t index) {
  const std::size_t slot = index % cache.slots;
  const std::size_t block = slot / kKeyBlock * kKeyBlock;
  return {cache.values,
          cache.value_scales,
          block * value_stride(cache.head_dim) + slot % kKeyBlock * kKeyGroup,
          block * scales_of(cache.head_dim) + slot % kKeyBlock,
          kKeyBlock,
          [](std::size_t c) { return c / kKeyGroup * kKeyGroup * kKeyBlock + c % kKeyGroup; }};
}

// One block of ggml's: an f16 and 32 codes.
struct Block {
  std::uint16_t scale;
  std::array<std::int8_t, kScaledChannels> codes;
};
static_assert(sizeof(Block) == 34);

void put_blocks(const Place& place, const float* row, std::size_t head_dim) {
  auto* const codes = reinterpret_cast<std::int8_t*>(place.array) + place.first;
  for (std::size_t c = 0; c < head_dim; c += kScaledChannels) {
    const std::size_t count = std::min(kScaledChannels, head_dim - c);
    std::array<float, kScaledChannels> values = {};
    std::copy_n(row + c, count, values.begin());
    std::array<std::byte, sizeof(Block)> bytes;
    store_q8_0(values.data(), values.size(), bytes.data());
    Block block;
    std::memcpy(&block, bytes.data(), sizeof block);
    place.scales[place.scale + c / kScaledChannels * place.between] = block.scale;
    for (std::size_t i = 0; i < count; ++i) {
      codes[place.channel_at(c + i)] = block.codes[i];
    }
  }
}

void put(CacheType type, const Place& place, const float* row, std::size_t head_dim) {
  if (type == CacheType::kQ8_0) {
    put_blocks(place, row, head_dim);
    return;
  }
  for (std::size_t c = 0; c < head_dim; ++c) {
    const std::size_t at = place.first + place.channel_at(c);
    if (type == CacheType::kF32) {
      reinterpret_cast<float*>(place.array)[at] = row[c];
    } else {
      reinterpret_cast<std::uint16_t*>(place.array)[at] = bf16_from_float(row[c]);
    }
  }
}

float number_at(CacheType type, const Place& place, std::size_t c) {
  const std::size_t at = place.first + place.channel_at(c);
  switch (type) {
    case CacheType::kF32:
      return reinterpret_cast<const float*>(place.array)[at];
    case CacheType::kBf16:
      return float_from_bf16(reinterpret_cast<const std::uint16_t*>(place.array)[at]);
    case CacheType::kQ8_0:
      break;
  }
  const std::size_t scale = place.scale + c / kScaledChannels * place.between;
  return float_from_f16(place.scales[scale]) *
         reinterpret_cast<const std::int8_t*>(place.array)[at];
}

void get(CacheType type, const Place& place, std::size_t head_dim, float* row) {
  for (std::size_t c = 0; c < head_dim; ++c) {
    row[c] = number_at(type, place, c);
  }
}

}  // namespace

std::size_t head_bytes(CacheType type, std::size_t slots, std::size_t head_dim) {
  const std::size_t scales = type == CacheType::kQ8_0 ? 2 * scales_of(head_dim) : 0;
  return slots * ((head_dim + value_stride(head_dim)) * number_bytes(type) +
                  scales * sizeof(std::uint16_t));
}

HeadCache head_cache(CacheType type, std::size_t slots, std::size_t head_dim, std::byte* memory) {
  HeadCache cache{type, slots, head_dim, memory};
  cache.values = cache.keys + slots * head_dim * number_bytes(type);
  if (type == CacheType::kQ8_0) {
    cache.key_scales =
        reinterpret_cast<std::uint16_t*>(cache.values + slots * value_stride(head_dim));
    cache.value_scales = cache.key_scales + slots * scales_of(head_dim);
  }
  return cache;
}

double cached_bytes(CacheType type) {
  const double scale = type == CacheType::kQ8_0 ? 2.0 / kScaledChannels : 0;
  return static_cast<double>(number_bytes(type)) + scale;
}

void store_key_value(const HeadCache& cache, std::size_t index, const float* key,
                     const float* value) {
  put(cache.type, key_place(cache, index), key, cache.head_dim);
  put(cache.type, value_place(cache, index), value, cache.head_dim);
}

void load_key(const HeadCache& cache, std::size_t index, float* key) {
  get(cache.type, key_place(cache, index), cache.head_dim, key);
}

void load_value(const HeadCache& cache, std::size_t index, float* value) {
  get(cache.type, value_place(cache, index), cache.head_dim, value);
}

}  // namespace assay::cpu
