// SPDX-License-Identifier: Apache-2.0
// Products of int8 with AVX-VNNI: vpdpbusd on 8 rows of a tile, for machines with AVX2 and no
// AVX-512.
//
// It multiplies unsigned by signed bytes and cannot overflow, so that codes of 8 bits are taken as
// they are stored, with an offset of 128, and those of 4 bits with one of 8: a sum begins at minus
// the offset times the sum of the codes of x.
#include "optimized/kernels/tile_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,avxvnni")
#endif

namespace assay::cpu {
namespace {

constexpr std::size_t kHalf = 8;         // rows of a tile that a vector holds
constexpr std::size_t kPrefetch = 4096;  // bytes ahead: past the end of a small page

template <bool kEight>
constexpr std::size_t kBytes = kEight ? 544 : 288;  // of a block of a tile

// The codes 4g … 4g + 3 of half a tile, unsigned.
template <bool kEight>
inline __m256i codes_of(const std::byte* block, std::size_t g, std::size_t half) {
  const auto* at = reinterpret_cast<const __m256i*>(block + 32 + 64 * (kEight ? g : g % 4));
  const __m256i bytes = _mm256_loadu_si256(at + half);
  if constexpr (kEight) {
    return bytes;
  } else {
    return _mm256_and_si256(g < 4 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  }
}

inline __m256 scales_of(const std::byte* block, std::size_t half) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + half));
}

// One block of half a tile with `kRows` rows of x: the sums of codes, digits combined. x: its words
// of digit 0, [digit][8][rows]; sums: [digit][rows].
template <bool kEight, std::size_t kDigits, std::size_t kRows>
inline void block_sums(const std::byte* block, std::size_t half, const std::int32_t* x,
                       const std::int32_t* sums, __m256 (&value)[kRows]) {
  constexpr std::int32_t kOffset = kEight ? -128 : -8;
  for (std::size_t digit = kDigits; digit-- > 0;) {
    const std::int32_t* const words = x + digit * 8 * kRows;
    __m256i sum[kRows];
    for (std::size_t m = 0; m < kRows; ++m) {
      sum[m] = _mm256_set1_epi32(kOffset * sums[digit * kRows + m]);
    }
#pragma GCC unroll 8
    for (std::size_t g = 0; g < 8; ++g) {
      const __m256i codes = codes_of<kEight>(block, g, half);
      for (std::size_t m = 0; m < kRows; ++m) {
        sum[m] = _mm256_dpbusd_avx_epi32(sum[m], codes, _mm256_set1_epi32(words[g * kRows + m]));
      }
    }
    for (std::size_t m = 0; m < kRows; ++m) {
      const __m256 whole = _mm256_cvtepi32_ps(sum[m]);
      value[m] = digit + 1 == kDigits
                     ? whole
                     : _mm256_fmadd_ps(value[m], _mm256_set1_ps(1 / 254.0F), whole);
    }
  }
}

template <bool kEight>
inline void prefetch_block(const std::byte* block) {
  for (std::size_t at = 0; at < kBytes<kEight>; at += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(block) + kPrefetch + at, _MM_HINT_T0);
  }
}

// `kHalves` halves of a tile, from `half` on, with a panel of `kRows` rows of x.
template <bool kEight, std::size_t kDigits, std::size_t kRows, std::size_t kHalves>
inline void panel_product(const Product& p, std::size_t tile, std::size_t half, std::size_t panel) {
  const auto* x = reinterpret_cast<const std::int32_t*>(p.x->int8(panel));
  const float* scales = p.x->scales(panel);
  const std::int32_t* sums = p.x->sums(panel);
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  __m256 y[kHalves][kRows] = {};
  for (std::size_t b = 0; b < p.x->blocks(); ++b, block += kBytes<kEight>) {
    if constexpr (kRows == 1) {
      prefetch_block<kEight>(block);
    }
    for (std::size_t h = 0; h < kHalves; ++h) {
      __m256 value[kRows];
      block_sums<kEight, kDigits, kRows>(block, half + h, x, sums, value);
      const __m256 scale = scales_of(block, half + h);
      for (std::size_t m = 0; m < kRows; ++m) {
        const __m256 by = _mm256_mul_ps(scale, _mm256_set1_ps(scales[m]));
        y[h][m] = _mm256_fmadd_ps(value[m], by, y[h][m]);
      }
    }
    x += kDigits * 8 * kRows;
    sums += kDigits * kRows;
    scales += kRows;
  }
  const std::size_t rows = std::min(kRows, p.x->rows - panel * kRows);
  for (std::size_t m = 0; m < rows; ++m) {
    float* const out = p.y + (panel * kRows + m) * p.stride + tile * kTileRows + half * kHalf;
    for (std::size_t h = 0; h < kHalves; ++h) {
      _mm256_storeu_ps(out + h * kHalf, y[h][m]);
    }
  }
}

// One row of x reads a tile once; a panel of four has no registers for both halves.
template <bool kEight, std::size_t kDigits>
void int8_tiles(const Product& p, TileRange tiles) {
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    if (p.x->height == 1) {
      panel_product<kEight, kDigits, 1, 2>(p, tile, 0, 0);
      continue;
    }
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
        panel_product<kEight, kDigits, 4, 1>(p, tile, half, panel);
      }
    }
  }
}

}  // namespace

void multiply_int8_avx_vnni(const Product& p, TileRange tiles) {
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

void multiply_int8_avx_vnni(const Product& product, TileRange tiles) {
  multiply_int8(product, tiles);
}

}  // namespace assay::cpu

#endif
