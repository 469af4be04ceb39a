// SPDX-License-Identifier: Apache-2.0
// Products of int8 with the dot product of ARMv8.2 (sdot): four signed bytes of x meet four rows of
// a tile. Codes of 8 bits lose the offset that they are stored with; a sum with codes of 4 bits
// begins at -8 times the sum of the codes of x.
#include "optimized/kernels/tile_kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include <algorithm>
#include <cstdint>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif

namespace assay::cpu {
namespace {

constexpr std::size_t kQuarter = 4;      // rows of a tile that a vector holds
constexpr std::size_t kPrefetch = 4096;  // bytes ahead: past the end of a small page

template <bool kEight>
constexpr std::size_t kBytes = kEight ? 544 : 288;  // of a block of a tile

// The codes 4g … 4g + 3 of a quarter of a tile: of 8 bits signed, of 4 bits from 0.
template <bool kEight>
inline int8x16_t codes_of(const std::byte* block, std::size_t g, std::size_t quarter) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(block) + 32 + 16 * quarter;
  if constexpr (kEight) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(at + 64 * g), vdupq_n_u8(128)));
  } else {
    const uint8x16_t pairs = vld1q_u8(at + 64 * (g % 4));
    return vreinterpretq_s8_u8(g < 4 ? vandq_u8(pairs, vdupq_n_u8(15)) : vshrq_n_u8(pairs, 4));
  }
}

inline float32x4_t scales_of(const std::byte* block, std::size_t quarter) {
  const auto* at = reinterpret_cast<const std::uint16_t*>(block) + kQuarter * quarter;
  return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at)));
}

// sum[m] += codes times the word of row m, which lies in lane m of x.
template <std::size_t kRows>
inline void add_products(int8x16_t codes, const std::int8_t* x, int32x4_t (&sum)[kRows]) {
  if constexpr (kRows == 1) {
    const auto word = vld1q_dup_s32(reinterpret_cast<const std::int32_t*>(x));
    sum[0] = vdotq_s32(sum[0], codes, vreinterpretq_s8_s32(word));
  } else {
    const int8x16_t words = vld1q_s8(x);
    sum[0] = vdotq_laneq_s32(sum[0], codes, words, 0);
    sum[1] = vdotq_laneq_s32(sum[1], codes, words, 1);
    sum[2] = vdotq_laneq_s32(sum[2], codes, words, 2);
    sum[3] = vdotq_laneq_s32(sum[3], codes, words, 3);
  }
}

// One block of a quarter of a tile with `kRows` rows of x: the sums of codes, digits combined. x:
// the codes of digit 0, [digit][8][rows][4]; sums: [digit][rows].
template <bool kEight, std::size_t kDigits, std::size_t kRows>
inline void block_sums(const std::byte* block, std::size_t quarter, const std::int8_t* x,
                       const std::int32_t* sums, float32x4_t (&value)[kRows]) {
  for (std::size_t digit = kDigits; digit-- > 0;) {
    int32x4_t sum[kRows];
    for (std::size_t m = 0; m < kRows; ++m) {
      sum[m] = vdupq_n_s32(kEight ? 0 : -8 * sums[digit * kRows + m]);
    }
#pragma GCC unroll 8
    for (std::size_t g = 0; g < 8; ++g) {
      add_products(codes_of<kEight>(block, g, quarter), x + (digit * 8 + g) * kRows * 4, sum);
    }
    for (std::size_t m = 0; m < kRows; ++m) {
      const float32x4_t whole = vcvtq_f32_s32(sum[m]);
      value[m] = digit + 1 == kDigits ? whole : vfmaq_f32(whole, value[m], vdupq_n_f32(1 / 254.0F));
    }
  }
}

template <bool kEight>
inline void prefetch_block(const std::byte* block) {
  for (std::size_t at = 0; at < kBytes<kEight>; at += 64) {
    __builtin_prefetch(block + kPrefetch + at);
  }
}

// `kQuarters` quarters of a tile, from `quarter` on, with a panel of `kRows` rows of x.
template <bool kEight, std::size_t kDigits, std::size_t kRows, std::size_t kQuarters>
inline void panel_product(const Product& p, std::size_t tile, std::size_t quarter,
                          std::size_t panel) {
  const std::int8_t* x = p.x->int8(panel);
  const float* scales = p.x->scales(panel);
  const std::int32_t* sums = p.x->sums(panel);
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  float32x4_t y[kQuarters][kRows];
  for (auto& row : y) {
    std::fill_n(row, kRows, vdupq_n_f32(0));
  }
  for (std::size_t b = 0; b < p.x->blocks(); ++b, block += kBytes<kEight>) {
    if constexpr (kRows == 1) {
      prefetch_block<kEight>(block);
    }
    for (std::size_t q = 0; q < kQuarters; ++q) {
      float32x4_t value[kRows];
      block_sums<kEight, kDigits, kRows>(block, quarter + q, x, sums, value);
      const float32x4_t scale = scales_of(block, quarter + q);
      for (std::size_t m = 0; m < kRows; ++m) {
        y[q][m] = vfmaq_f32(y[q][m], value[m], vmulq_n_f32(scale, scales[m]));
      }
    }
    x += kDigits * kBlock * kRows;
    sums += kDigits * kRows;
    scales += kRows;
  }
  const std::size_t rows = std::min(kRows, p.x->rows - panel * kRows);
  for (std::size_t m = 0; m < rows; ++m) {
    float* const out = p.y + (panel * kRows + m) * p.stride + tile * kTileRows + quarter * kQuarter;
    for (std::size_t q = 0; q < kQuarters; ++q) {
      vst1q_f32(out + q * kQuarter, y[q][m]);
    }
  }
}

// One row of x reads a tile once; a panel of four has registers for half of one.
template <bool kEight, std::size_t kDigits>
void int8_tiles(const Product& p, TileRange tiles) {
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    if (p.x->height == 1) {
      panel_product<kEight, kDigits, 1, 4>(p, tile, 0, 0);
      continue;
    }
    for (std::size_t quarter = 0; quarter < 4; quarter += 2) {
      for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
        panel_product<kEight, kDigits, 4, 2>(p, tile, quarter, panel);
      }
    }
  }
}

}  // namespace

void multiply_int8_dotprod(const Product& p, TileRange tiles) {
  const bool eight = p.weight->layout == WeightLayout::kQ8;
  const bool three = p.x->format == RowFormat::kInt8Digits;
  (eight   ? three ? int8_tiles<true, 3> : int8_tiles<true, 1>
     : three ? int8_tiles<false, 3>
           : int8_tiles<false, 1>)(p, tiles);
}

}  // namespace assay::cpu

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else

namespace assay::cpu {

void multiply_int8_dotprod(const Product& product, TileRange tiles) {
  multiply_int8(product, tiles);
}

}  // namespace assay::cpu

#endif
