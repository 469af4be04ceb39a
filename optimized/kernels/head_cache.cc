// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/head_cache.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/ggml_blocks.h"

namespace assay::cpu {
namespace {

std::size_t number_bytes(CacheType type) {
  return type == CacheType::kF32 ? sizeof(float) : type == CacheType::kBf16 ? 2 : 1;
}

// Where one row of a cache lies: channels `next` apart, groups of 16 of them `group` apart, the
// scales of blocks `block` apart.
struct Place {
  std::byte* array;
  std::uint16_t* scales;
  std::size_t first, next, group;
  std::size_t first_scale, block;

  std::size_t channel(std::size_t c) const {
    return first + c / kKeyGroup * group + c % kKeyGroup * next;
  }
  std::size_t scale(std::size_t c) const { return first_scale + c / kScaledChannels * block; }
};

Place key_place(const HeadCache& cache, std::size_t index) {
  const std::size_t slot = index % cache.slots;
  const std::size_t group = slot / kKeyGroup * kKeyGroup;
  return {cache.keys, cache.key_scales,      group * cache.head_dim + slot % kKeyGroup,
          kKeyGroup,  kKeyGroup * kKeyGroup, group * scale_count(cache.head_dim) + slot % kKeyGroup,
          kKeyGroup};
}

Place value_place(const HeadCache& cache, std::size_t index) {
  const std::size_t slot = index % cache.slots;
  const std::size_t block = slot / kKeyBlock * kKeyBlock;
  return {cache.values,
          cache.value_scales,
          block * value_stride(cache.head_dim) + slot % kKeyBlock * kKeyGroup,
          1,
          kKeyGroup * kKeyBlock,
          block * scale_count(cache.head_dim) + slot % kKeyBlock,
          kKeyBlock};
}

// One block of ggml's: an f16 and 32 codes.
struct Block {
  std::uint16_t scale;
  std::array<std::int8_t, kScaledChannels> codes;
};
static_assert(sizeof(Block) == 34);

void put_blocks(const Place& place, const float* row, std::size_t head_dim) {
  auto* const codes = reinterpret_cast<std::int8_t*>(place.array);
  for (std::size_t c = 0; c < head_dim; c += kScaledChannels) {
    const std::size_t count = std::min(kScaledChannels, head_dim - c);
    std::array<float, kScaledChannels> values = {};
    std::copy_n(row + c, count, values.begin());
    std::array<std::byte, sizeof(Block)> bytes;
    store_q8_0(values.data(), values.size(), bytes.data());
    Block block;
    std::memcpy(&block, bytes.data(), sizeof block);
    place.scales[place.scale(c)] = block.scale;
    for (std::size_t i = 0; i < count; ++i) {
      codes[place.channel(c + i)] = block.codes[i];
    }
  }
}

void put(CacheType type, const Place& place, const float* row, std::size_t head_dim) {
  if (type == CacheType::kQ8_0) {
    put_blocks(place, row, head_dim);
    return;
  }
  for (std::size_t c = 0; c < head_dim; ++c) {
    const std::size_t at = place.channel(c);
    if (type == CacheType::kF32) {
      reinterpret_cast<float*>(place.array)[at] = row[c];
    } else {
      reinterpret_cast<std::uint16_t*>(place.array)[at] = bf16_from_float(row[c]);
    }
  }
}

float number_at(CacheType type, const Place& place, std::size_t c) {
  const std::size_t at = place.channel(c);
  switch (type) {
    case CacheType::kF32:
      return reinterpret_cast<const float*>(place.array)[at];
    case CacheType::kBf16:
      return float_from_bf16(reinterpret_cast<const std::uint16_t*>(place.array)[at]);
    case CacheType::kQ8_0:
      break;
  }
  return float_from_f16(place.scales[place.scale(c)]) *
         reinterpret_cast<const std::int8_t*>(place.array)[at];
}

void get(CacheType type, const Place& place, std::size_t head_dim, float* row) {
  for (std::size_t c = 0; c < head_dim; ++c) {
    row[c] = number_at(type, place, c);
  }
}

}  // namespace

std::size_t head_bytes(CacheType type, std::size_t slots, std::size_t head_dim) {
  const std::size_t scales = type == CacheType::kQ8_0 ? 2 * scale_count(head_dim) : 0;
  return slots * ((head_dim + value_stride(head_dim)) * number_bytes(type) +
                  scales * sizeof(std::uint16_t));
}

HeadCache head_cache(CacheType type, std::size_t slots, std::size_t head_dim, std::byte* memory) {
  HeadCache cache{type, slots, head_dim, memory};
  cache.values = cache.keys + slots * head_dim * number_bytes(type);
  if (type == CacheType::kQ8_0) {
    cache.key_scales =
        reinterpret_cast<std::uint16_t*>(cache.values + slots * value_stride(head_dim));
    cache.value_scales = cache.key_scales + slots * scale_count(head_dim);
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
