// SPDX-License-Identifier: Apache-2.0
// Dot products that Highway 1.0 has not: vpdpbusd (AVX-512 VNNI) and vdpbf16ps (AVX-512 BF16).
//
// Both sum in registers over all of k: kRows rows of x times N tiles, one instruction for each word
// of 4 codes or 2 bf16 values. The weights' offset of 128 or 8 costs nothing: the integer sum of a
// block starts at -128 (or -8) times the sum of the codes of x.
#include "optimized/kernels/tile_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#if defined(__clang__)
#pragma clang attribute push(                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,f16c,fma"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,f16c,fma")
#endif

namespace assay::cpu {
namespace {

// With 4 rows of x: 12 integer sums, more than a dot product takes cycles on two ports, and as many
// sums in f32; both fit the 32 registers.
constexpr std::size_t kInt8Tiles = 3;
constexpr std::size_t kPrefetch = 4096;  // bytes ahead: past the end of a small page

inline void prefetch(const std::byte* at) {
  _mm_prefetch(reinterpret_cast<const char*>(at) + kPrefetch, _MM_HINT_T0);
}

inline __m512 scales_of(const std::byte* block) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block)));
}

// The codes 4g … 4g + 3 of the 16 rows of a block.
template <bool kEight>
inline __m512i codes_of(const std::byte* block, std::size_t g) {
  if constexpr (kEight) {
    return _mm512_loadu_si512(block + 32 + 64 * g);
  } else {
    const __m512i pairs = _mm512_loadu_si512(block + 32 + 64 * (g % 4));
    return _mm512_and_si512(g < 4 ? pairs : _mm512_srli_epi16(pairs, 4), _mm512_set1_epi8(15));
  }
}

// The integer sums of one block, digits combined: kRows rows of one panel times N tiles.
template <bool kEight, std::size_t kDigits, std::size_t kRows, std::size_t N>
inline void int8_block(const std::byte* block, std::size_t tile, const std::int32_t* x,
                       const std::int32_t* sums, __m512 (&value)[kRows][N]) {
  constexpr int kOffset = kEight ? -128 : -8;
  for (std::size_t digit = kDigits; digit-- > 0;) {
    __m512i sum[kRows][N];
    for (std::size_t m = 0; m < kRows; ++m) {
      for (std::size_t n = 0; n < N; ++n) {
        sum[m][n] = _mm512_set1_epi32(kOffset * sums[digit * kRows + m]);
      }
    }
#pragma GCC unroll 8
    for (std::size_t g = 0; g < 8; ++g) {
      __m512i weight[N];
      for (std::size_t n = 0; n < N; ++n) {
        weight[n] = codes_of<kEight>(block + n * tile, g);
      }
      for (std::size_t m = 0; m < kRows; ++m) {
        const __m512i word = _mm512_set1_epi32(x[(digit * 8 + g) * kRows + m]);
        for (std::size_t n = 0; n < N; ++n) {
          sum[m][n] = _mm512_dpbusd_epi32(sum[m][n], weight[n], word);
        }
      }
    }
    for (std::size_t m = 0; m < kRows; ++m) {
      for (std::size_t n = 0; n < N; ++n) {
        const __m512 whole = _mm512_cvtepi32_ps(sum[m][n]);
        value[m][n] = digit + 1 == kDigits
                          ? whole
                          : _mm512_fmadd_ps(value[m][n], _mm512_set1_ps(1 / 254.0F), whole);
      }
    }
  }
}

template <std::size_t kRows, std::size_t N>
inline void store_panel(const Product& p, std::size_t tile, std::size_t panel,
                        const __m512 (&y)[kRows][N]) {
  const std::size_t rows = std::min(kRows, p.x->rows - panel * kRows);
  for (std::size_t m = 0; m < rows; ++m) {
    float* const to = p.y + (panel * kRows + m) * p.stride + tile * kTileRows;
    for (std::size_t n = 0; n < N; ++n) {
      _mm512_storeu_ps(to + n * kTileRows, y[m][n]);
    }
  }
}

template <bool kEight, std::size_t kDigits, std::size_t kRows, std::size_t N>
inline void int8_panel(const Product& p, std::size_t tile, std::size_t panel) {
  constexpr std::size_t kBytes = kEight ? 544 : 288;
  const WeightView& w = *p.weight;
  const auto* x = reinterpret_cast<const std::int32_t*>(p.x->int8(panel));
  const float* scales = p.x->scales(panel);
  const std::int32_t* sums = p.x->sums(panel);
  const std::byte* block = w.data + tile * w.tile;
  __m512 y[kRows][N];
  for (auto& row : y) {
    for (__m512& value : row) {
      value = _mm512_setzero_ps();
    }
  }
  for (std::size_t b = 0; b < p.x->blocks(); ++b, block += kBytes) {
    __m512 value[kRows][N];
    int8_block<kEight, kDigits, kRows, N>(block, w.tile, x, sums, value);
    for (std::size_t n = 0; n < N; ++n) {
      const __m512 scale = scales_of(block + n * w.tile);
      for (std::size_t m = 0; m < kRows; ++m) {
        y[m][n] =
            _mm512_fmadd_ps(value[m][n], _mm512_mul_ps(scale, _mm512_set1_ps(scales[m])), y[m][n]);
      }
    }
    x += 8 * kDigits * kRows;
    scales += kRows;
    sums += kDigits * kRows;
  }
  store_panel(p, tile, panel, y);
}

// One row of x, one tile, one stream of weights; two integer sums, so that the loads stay ahead.
template <bool kEight, std::size_t kDigits>
inline void int8_row(const Product& p, std::size_t tile) {
  constexpr std::size_t kBytes = kEight ? 544 : 288;
  constexpr int kOffset = kEight ? -128 : -8;
  const auto* x = reinterpret_cast<const std::int32_t*>(p.x->int8(0));
  const float* scales = p.x->scales(0);
  const std::int32_t* sums = p.x->sums(0);
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  __m512 y = _mm512_setzero_ps();
  for (std::size_t b = 0; b < p.x->blocks(); ++b, block += kBytes) {
    __m512i low[kDigits];
    __m512i high[kDigits];
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      low[digit] = _mm512_set1_epi32(kOffset * sums[b * kDigits + digit]);
      high[digit] = _mm512_setzero_si512();
    }
#pragma GCC unroll 4
    for (std::size_t g = 0; g < 4; ++g) {
      prefetch(block + 64 * g);
      if constexpr (kEight) {
        prefetch(block + 256 + 64 * g);
      }
      const __m512i first = codes_of<kEight>(block, g);
      const __m512i second = codes_of<kEight>(block, g + 4);
#pragma GCC unroll 3
      for (std::size_t digit = 0; digit < kDigits; ++digit) {
        const std::int32_t* words = x + (b * kDigits + digit) * 8;
        low[digit] = _mm512_dpbusd_epi32(low[digit], first, _mm512_set1_epi32(words[g]));
        high[digit] = _mm512_dpbusd_epi32(high[digit], second, _mm512_set1_epi32(words[g + 4]));
      }
    }
    __m512 value = _mm512_setzero_ps();
    for (std::size_t digit = kDigits; digit-- > 0;) {
      const __m512 sum = _mm512_cvtepi32_ps(_mm512_add_epi32(low[digit], high[digit]));
      value = digit + 1 == kDigits ? sum : _mm512_fmadd_ps(value, _mm512_set1_ps(1 / 254.0F), sum);
    }
    y = _mm512_fmadd_ps(value, _mm512_mul_ps(scales_of(block), _mm512_set1_ps(scales[b])), y);
  }
  _mm512_storeu_ps(p.y + tile * kTileRows, y);
}

template <bool kEight, std::size_t kDigits>
void int8_tiles(const Product& p, TileRange tiles) {
  if (p.x->height == 1) {
    for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
      int8_row<kEight, kDigits>(p, tile);
    }
    return;
  }
  std::size_t tile = tiles.first;
  for (; tile + kInt8Tiles <= tiles.end; tile += kInt8Tiles) {
    for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
      int8_panel<kEight, kDigits, 4, kInt8Tiles>(p, tile, panel);
    }
  }
  for (; tile < tiles.end; ++tile) {
    for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
      int8_panel<kEight, kDigits, 4, 1>(p, tile, panel);
    }
  }
}

template <std::size_t kRows, std::size_t N>
inline void bf16_panel(const Product& p, std::size_t tile, std::size_t panel) {
  const WeightView& w = *p.weight;
  const auto* x = reinterpret_cast<const std::int32_t*>(p.x->bf16(panel));
  const std::byte* const weights = w.data + tile * w.tile;
  const std::size_t words = (w.columns + 1) / 2;
  __m512 y[kRows][N];
  for (auto& row : y) {
    for (__m512& value : row) {
      value = _mm512_setzero_ps();
    }
  }
  for (std::size_t k = 0; k < words; ++k) {
    __m512i weight[N];
    for (std::size_t n = 0; n < N; ++n) {
      weight[n] = _mm512_loadu_si512(weights + n * w.tile + 64 * k);
    }
    for (std::size_t m = 0; m < kRows; ++m) {
      const auto value = reinterpret_cast<__m512bh>(_mm512_set1_epi32(x[k * kRows + m]));
      for (std::size_t n = 0; n < N; ++n) {
        y[m][n] = _mm512_dpbf16_ps(y[m][n], reinterpret_cast<__m512bh>(weight[n]), value);
      }
    }
  }
  store_panel(p, tile, panel, y);
}

inline void bf16_row(const Product& p, std::size_t tile) {
  const auto* x = reinterpret_cast<const std::int32_t*>(p.x->bf16(0));
  const std::byte* weights = p.weight->data + tile * p.weight->tile;
  const std::size_t words = (p.weight->columns + 1) / 2;
  __m512 y[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                 _mm512_setzero_ps()};
  for (std::size_t k = 0; k < words; ++k, weights += 64) {
    prefetch(weights);
    y[k % 4] = _mm512_dpbf16_ps(y[k % 4], reinterpret_cast<__m512bh>(_mm512_loadu_si512(weights)),
                                reinterpret_cast<__m512bh>(_mm512_set1_epi32(x[k])));
  }
  _mm512_storeu_ps(p.y + tile * kTileRows,
                   _mm512_add_ps(_mm512_add_ps(y[0], y[1]), _mm512_add_ps(y[2], y[3])));
}

template <std::size_t N>
void bf16_step(const Product& p, std::size_t tile) {
  for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
    bf16_panel<8, N>(p, tile, panel);
  }
}

}  // namespace

void multiply_int8_vnni(const Product& p, TileRange tiles) {
  with_int8_format(p, [&](auto eight, auto digits) { int8_tiles<eight, digits>(p, tiles); });
}

void multiply_bf16_dot(const Product& p, TileRange tiles) {
  if (p.x->height == 1) {
    for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
      bf16_row(p, tile);
    }
    return;
  }
  std::size_t tile = tiles.first;
  for (; tile + 3 <= tiles.end; tile += 3) {
    bf16_step<3>(p, tile);
  }
  for (; tile < tiles.end; ++tile) {
    bf16_step<1>(p, tile);
  }
}

}  // namespace assay::cpu

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else

namespace assay::cpu {

// Never chosen: features() has neither.
void multiply_int8_vnni(const Product& product, TileRange tiles) {
  multiply_int8(product, tiles);
}
void multiply_bf16_dot(const Product& product, TileRange tiles) {
  multiply_f32(product, tiles);
}

}  // namespace assay::cpu

#endif
