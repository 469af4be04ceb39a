// SPDX-License-Identifier: Apache-2.0
// K types times one row of x in three digits, by vpdpbusd (AVX-512 VNNI).
//
// Codes are unsigned, so that a sub-block of 32 adds, with V the sum of code times digit and X that
// of digits, both combined over the digits,
//
//   q4_K, q5_K   s (d sc V - dmin mn X)
//   q6_K         s d (sc0 V0 + sc1 V1 - 32 (sc0 X0 + sc1 X1))     its halves of 16
//
// with s the scale of x. The integer sums are exact; what is rounded is of the size of s d sc V and
// s dmin mn X, whose difference may be smaller.
#include "optimized/kernels/tile_kernels.h"
#include "optimized/packing/k_blocks.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdint>

#if defined(__clang__)
#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,f16c,fma"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,f16c,fma")
#endif

namespace assay::cpu {
namespace {

constexpr std::size_t kDigits = 3;
constexpr std::size_t kWords = 8;        // of a sub-block
constexpr std::size_t kPrefetch = 4096;  // bytes ahead: past the end of a small page
constexpr float kDigitStep = 1 / 254.0F;

inline __m512i words_at(const std::byte* place, std::size_t word) {
  return _mm512_loadu_si512(place + 64 * word);
}

// (v >> shift & mask) of each byte, for a mask that takes no bit of the next one.
inline __m512i bits_of(__m512i v, unsigned shift, char mask) {
  return _mm512_and_si512(_mm512_srli_epi16(v, shift), _mm512_set1_epi8(mask));
}

// The codes 4g … 4g + 3 of sub-block j of the 16 rows.
template <KType kType>
inline __m512i k_codes(const std::byte* block, std::size_t j, std::size_t g) {
  constexpr KPlaces kAt = k_places(kType);
  const std::byte* const low = block + kAt.low;
  const std::byte* const high = block + kAt.high;
  const auto n = static_cast<unsigned>(j);
  if constexpr (kType == KType::kQ6) {
    const __m512i four = bits_of(words_at(low, 16 * (j / 4) + 8 * (j % 2) + g), n % 4 / 2 * 4, 15);
    const __m512i two = bits_of(words_at(high, 8 * (j / 4) + g), n % 4 * 2, 3);
    return _mm512_or_si512(four, _mm512_slli_epi16(two, 4));
  } else {
    const __m512i four = bits_of(words_at(low, 8 * (j / 2) + g), n % 2 * 4, 15);
    if constexpr (kType == KType::kQ4) {
      return four;
    } else {
      return _mm512_or_si512(four, _mm512_slli_epi16(bits_of(words_at(high, g), n, 1), 4));
    }
  }
}

inline __m512 halves_of(const std::byte* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
inline __m512 unsigned_of(const std::byte* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}
inline __m512 signed_of(const std::byte* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

// The row of x at one block of 32.
struct XBlock {
  const std::int32_t* words;  // [digit][8]
  const std::int32_t* sums;   // [digit]
  const std::int32_t* half_sums;
  float scale;
};

inline float combined(const std::int32_t* sums) {
  return static_cast<float>(sums[0]) +
         kDigitStep * (static_cast<float>(sums[1]) + kDigitStep * static_cast<float>(sums[2]));
}

inline __m512 combined(const __m512i (&sum)[kDigits]) {
  const __m512 step = _mm512_set1_ps(kDigitStep);
  const __m512 upper =
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[2]), step, _mm512_cvtepi32_ps(sum[1]));
  return _mm512_fmadd_ps(upper, step, _mm512_cvtepi32_ps(sum[0]));
}

// The sums of words [first, first + kWords / 2) of sub-block j, for each digit.
template <KType kType>
inline void add_half(const std::byte* block, std::size_t j, std::size_t first, const XBlock& x,
                     __m512i (&sum)[kDigits]) {
#pragma GCC unroll 4
  for (std::size_t g = first; g < first + kWords / 2; ++g) {
    const __m512i codes = k_codes<kType>(block, j, g);
#pragma GCC unroll 3
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      const __m512i word = _mm512_set1_epi32(x.words[digit * kWords + g]);
      sum[digit] = _mm512_dpbusd_epi32(sum[digit], codes, word);
    }
  }
}

template <KType kType>
inline __m512 add_sub_block(const std::byte* block, std::size_t j, const XBlock& x, __m512 d,
                            __m512 dmin, __m512 y) {
  constexpr KPlaces kAt = k_places(kType);
  const __m512 scale = _mm512_set1_ps(x.scale);
  __m512i first[kDigits] = {};
  __m512i second[kDigits] = {};
  add_half<kType>(block, j, 0, x, first);
  add_half<kType>(block, j, kWords / 2, x, second);
  if constexpr (kType == KType::kQ6) {
    const float x0 = combined(x.half_sums);
    const float x1 = combined(x.sums) - x0;
    const std::byte* const scales = block + kAt.scales + 2 * j * kTileRows;
    const __m512 v0 = _mm512_fmadd_ps(_mm512_set1_ps(x0), _mm512_set1_ps(-32), combined(first));
    const __m512 v1 = _mm512_fmadd_ps(_mm512_set1_ps(x1), _mm512_set1_ps(-32), combined(second));
    const __m512 both =
        _mm512_fmadd_ps(signed_of(scales), v0, _mm512_mul_ps(signed_of(scales + kTileRows), v1));
    return _mm512_fmadd_ps(both, _mm512_mul_ps(d, scale), y);
  } else {
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      first[digit] = _mm512_add_epi32(first[digit], second[digit]);
    }
    const __m512 slope = _mm512_mul_ps(d, unsigned_of(block + kAt.scales + j * kTileRows));
    const __m512 minimum = _mm512_mul_ps(dmin, unsigned_of(block + kAt.minima + j * kTileRows));
    y = _mm512_fmadd_ps(combined(first), _mm512_mul_ps(slope, scale), y);
    return _mm512_fnmadd_ps(minimum, _mm512_set1_ps(combined(x.sums) * x.scale), y);
  }
}

template <KType kType>
void k_row(const Product& p, std::size_t tile) {
  constexpr KPlaces kAt = k_places(kType);
  constexpr std::size_t kLines = kAt.bytes / 64 / 8 + 1;  // of each of eight sub-blocks
  const auto* words = reinterpret_cast<const std::int32_t*>(p.x->int8(0));
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  __m512 y = _mm512_setzero_ps();
  for (std::size_t b = 0; b < p.x->blocks(); b += 8, block += kAt.bytes) {
    const __m512 d = halves_of(block);
    const __m512 dmin = halves_of(block + kAt.minimum);
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j) {
      for (std::size_t line = 0; line < kLines; ++line) {
        _mm_prefetch(reinterpret_cast<const char*>(block + kPrefetch + (j * kLines + line) * 64),
                     _MM_HINT_T0);
      }
      const std::size_t at = (b + j) * kDigits;
      const XBlock x{words + at * kWords, p.x->sums(0) + at, p.x->half_sums(0) + at,
                     p.x->scales(0)[b + j]};
      y = add_sub_block<kType>(block, j, x, d, dmin, y);
    }
  }
  _mm512_storeu_ps(p.y + tile * kTileRows, y);
}

template <KType kType>
void k_rows(const Product& p, TileRange tiles) {
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    k_row<kType>(p, tile);
  }
}

}  // namespace

void multiply_k_vnni(const Product& p, TileRange tiles) {
  switch (*k_type(p.weight->stored)) {
    case KType::kQ4:
      k_rows<KType::kQ4>(p, tiles);
      return;
    case KType::kQ5:
      k_rows<KType::kQ5>(p, tiles);
      return;
    case KType::kQ6:
      k_rows<KType::kQ6>(p, tiles);
      return;
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

// Never chosen: features() has it not.
void multiply_k_vnni(const Product& product, TileRange tiles) {
  multiply_f32(product, tiles);
}

}  // namespace assay::cpu

#endif
