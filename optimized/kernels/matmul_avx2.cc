// SPDX-License-Identifier: Apache-2.0
// Products of int8 with AVX2, which multiplies unsigned by signed bytes in pairs (vpmaddubsw).
//
// Codes of 4 bits are unsigned, and 8 pairs of 15 * 127 fit 16 bits, so a block needs one widening
// step. Codes of 8 bits would overflow as unsigned numbers: the sign of the weight moves to x, and
// 2 * 127 * 127 fits.
#include "optimized/kernels/tile_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

namespace assay::cpu {
namespace {

constexpr std::size_t kHalf = 8;         // rows of a tile that a vector holds
constexpr std::size_t kPrefetch = 4096;  // bytes ahead: past the end of a small page

inline __m256i load(const std::byte* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

inline __m256i widened(__m256i pairs) {
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

// The integer sum of one block of 8 rows with one row of codes.
inline __m256i block_sum_q4(const __m256i* codes, const std::int32_t* x, std::size_t step,
                            std::int32_t sum) {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = even;
#pragma GCC unroll 4
  for (std::size_t g = 0; g < 8; g += 2) {
    even = _mm256_add_epi16(even, _mm256_maddubs_epi16(codes[g], _mm256_set1_epi32(x[g * step])));
    odd = _mm256_add_epi16(
        odd, _mm256_maddubs_epi16(codes[g + 1], _mm256_set1_epi32(x[(g + 1) * step])));
  }
  return _mm256_add_epi32(_mm256_set1_epi32(-8 * sum), widened(_mm256_add_epi16(even, odd)));
}

inline __m256i block_sum_q8(const __m256i* codes, const std::int32_t* x, std::size_t step) {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = even;
#pragma GCC unroll 4
  for (std::size_t g = 0; g < 8; g += 2) {
    const __m256i x0 = _mm256_sign_epi8(_mm256_set1_epi32(x[g * step]), codes[g]);
    const __m256i x1 = _mm256_sign_epi8(_mm256_set1_epi32(x[(g + 1) * step]), codes[g + 1]);
    even = _mm256_add_epi32(even, widened(_mm256_maddubs_epi16(_mm256_abs_epi8(codes[g]), x0)));
    odd = _mm256_add_epi32(odd, widened(_mm256_maddubs_epi16(_mm256_abs_epi8(codes[g + 1]), x1)));
  }
  return _mm256_add_epi32(even, odd);
}

// The words 4g … 4g + 3 of codes of half a tile.
template <bool kEight>
inline __m256i codes_of(const std::byte* block, std::size_t g, std::size_t half) {
  if constexpr (kEight) {
    return _mm256_xor_si256(load(block + 32 + 64 * g + 32 * half),
                            _mm256_set1_epi8(static_cast<char>(-128)));
  } else {
    const __m256i pairs = load(block + 32 + 64 * (g % 4) + 32 * half);
    return _mm256_and_si256(g < 4 ? pairs : _mm256_srli_epi16(pairs, 4), _mm256_set1_epi8(15));
  }
}

template <bool kEight>
inline void load_codes(const std::byte* block, std::size_t half, __m256i* codes) {
#pragma GCC unroll 8
  for (std::size_t g = 0; g < 8; ++g) {
    codes[g] = codes_of<kEight>(block, g, half);
  }
}

// The sum of a block with the codes of one row, digits combined. x: its words of digit 0, `step`
// words apart; sums: of digit 0.
template <bool kEight, std::size_t kDigits>
inline __m256 block_sum(const __m256i* codes, const std::int32_t* x, std::size_t step,
                        const std::int32_t* sums) {
  __m256 value = _mm256_setzero_ps();
  for (std::size_t digit = kDigits; digit-- > 0;) {
    const std::int32_t* words = x + digit * 8 * step;
    __m256i sum;
    if constexpr (kEight) {
      sum = block_sum_q8(codes, words, step);
    } else {
      sum = block_sum_q4(codes, words, step, sums[digit * step]);
    }
    const __m256 whole = _mm256_cvtepi32_ps(sum);
    value =
        digit + 1 == kDigits ? whole : _mm256_fmadd_ps(value, _mm256_set1_ps(1 / 254.0F), whole);
  }
  return value;
}

inline __m256 scales_of(const std::byte* block, std::size_t half) {
  return _mm256_cvtph_ps(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 2 * kHalf * half)));
}

template <std::size_t kBytes>
inline void prefetch_block(const std::byte* block) {
#pragma GCC unroll 9
  for (std::size_t at = 0; at < kBytes; at += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(block) + kPrefetch + at, _MM_HINT_T0);
  }
}

// One row of x: both halves of the tile are summed in registers.
template <bool kEight, std::size_t kDigits>
inline void row_tile(const Product& p, std::size_t tile) {
  constexpr std::size_t kBytes = kEight ? 544 : 288;
  const auto* x = reinterpret_cast<const std::int32_t*>(p.x->int8(0));
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  __m256 y[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  for (std::size_t b = 0; b < p.x->blocks(); ++b, block += kBytes) {
    prefetch_block<kBytes>(block);
    const __m256 by = _mm256_set1_ps(p.x->scales(0)[b]);
    for (std::size_t half = 0; half < 2; ++half) {
      __m256i codes[8];
      load_codes<kEight>(block, half, codes);
      const __m256 sum =
          block_sum<kEight, kDigits>(codes, x + b * kDigits * 8, 1, p.x->sums(0) + b * kDigits);
      y[half] = _mm256_fmadd_ps(sum, _mm256_mul_ps(scales_of(block, half), by), y[half]);
    }
  }
  _mm256_storeu_ps(p.y + tile * kTileRows, y[0]);
  _mm256_storeu_ps(p.y + tile * kTileRows + kHalf, y[1]);
}

constexpr std::size_t kPanel = 4;  // rows of x: sums and codes of more do not fit 16 registers

// One block of half a tile with a panel of x: each word of codes meets all its rows.
template <bool kEight>
inline void panel_sums(const std::byte* block, std::size_t half, const std::int32_t* x,
                       const std::int32_t* sums, __m256i (&sum)[kPanel]) {
  for (__m256i& each : sum) {
    each = _mm256_setzero_si256();
  }
#pragma GCC unroll 8
  for (std::size_t g = 0; g < 8; ++g) {
    const __m256i code = codes_of<kEight>(block, g, half);
    const __m256i size = kEight ? _mm256_abs_epi8(code) : code;
    for (std::size_t m = 0; m < kPanel; ++m) {
      const __m256i word = _mm256_set1_epi32(x[g * kPanel + m]);
      if constexpr (kEight) {
        sum[m] = _mm256_add_epi32(
            sum[m], widened(_mm256_maddubs_epi16(size, _mm256_sign_epi8(word, code))));
      } else {
        sum[m] = _mm256_add_epi16(sum[m], _mm256_maddubs_epi16(size, word));
      }
    }
  }
  if constexpr (!kEight) {
    for (std::size_t m = 0; m < kPanel; ++m) {
      sum[m] = _mm256_add_epi32(_mm256_set1_epi32(-8 * sums[m]), widened(sum[m]));
    }
  }
}

template <bool kEight, std::size_t kDigits>
inline void half_panel(const Product& p, std::size_t tile, std::size_t half, std::size_t panel) {
  constexpr std::size_t kBytes = kEight ? 544 : 288;
  const auto* x = reinterpret_cast<const std::int32_t*>(p.x->int8(panel));
  const float* scales = p.x->scales(panel);
  const std::int32_t* sums = p.x->sums(panel);
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  __m256 y[kPanel] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                      _mm256_setzero_ps()};
  for (std::size_t b = 0; b < p.x->blocks(); ++b, block += kBytes, scales += kPanel) {
    __m256 value[kPanel];
    for (std::size_t digit = kDigits; digit-- > 0;) {
      __m256i sum[kPanel];
      panel_sums<kEight>(block, half, x + digit * 8 * kPanel, sums + digit * kPanel, sum);
      for (std::size_t m = 0; m < kPanel; ++m) {
        const __m256 whole = _mm256_cvtepi32_ps(sum[m]);
        value[m] = digit + 1 == kDigits
                       ? whole
                       : _mm256_fmadd_ps(value[m], _mm256_set1_ps(1 / 254.0F), whole);
      }
    }
    const __m256 scale = scales_of(block, half);
    for (std::size_t m = 0; m < kPanel; ++m) {
      y[m] = _mm256_fmadd_ps(value[m], _mm256_mul_ps(scale, _mm256_set1_ps(scales[m])), y[m]);
    }
    x += kDigits * 8 * kPanel;
    sums += kDigits * kPanel;
  }
  const std::size_t rows = std::min(kPanel, p.x->rows - panel * kPanel);
  for (std::size_t m = 0; m < rows; ++m) {
    _mm256_storeu_ps(p.y + (panel * kPanel + m) * p.stride + tile * kTileRows + half * kHalf, y[m]);
  }
}

template <bool kEight, std::size_t kDigits>
void int8_tiles(const Product& p, TileRange tiles) {
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    if (p.x->height == 1) {
      row_tile<kEight, kDigits>(p, tile);
      continue;
    }
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
        half_panel<kEight, kDigits>(p, tile, half, panel);
      }
    }
  }
}

}  // namespace

void multiply_int8_avx2(const Product& p, TileRange tiles) {
  with_int8_format(p, [&](auto eight, auto digits) { int8_tiles<eight, digits>(p, tiles); });
}

}  // namespace assay::cpu

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else

namespace assay::cpu {

void multiply_int8_avx2(const Product& product, TileRange tiles) {
  multiply_int8(product, tiles);
}

}  // namespace assay::cpu

#endif
