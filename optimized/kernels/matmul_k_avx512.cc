// SPDX-License-Identifier: Apache-2.0
// K types times one row of x, in three digits or as ggml's q8_K, by vpdpbusd (AVX-512 VNNI).
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

constexpr std::size_t kWords = 8;        // of a sub-block
constexpr std::size_t kPrefetch = 8192;  // bytes ahead: past the end of a small page
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
  const KCodes at = k_codes_of(kType, j);
  const __m512i low = bits_of(words_at(block + kAt.low, at.low + g), at.low_shift, 15);
  if constexpr (kType == KType::kQ4) {
    return low;
  } else {
    const __m512i high = bits_of(words_at(block + kAt.high, at.high + g), at.high_shift,
                                 static_cast<char>(at.high_mask));
    return _mm512_or_si512(low, _mm512_slli_epi16(high, 4));
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

template <std::size_t kDigits>
inline float combined(const std::int32_t* sums) {
  float value = static_cast<float>(sums[kDigits - 1]);
  for (std::size_t digit = kDigits - 1; digit-- > 0;) {
    value = static_cast<float>(sums[digit]) + kDigitStep * value;
  }
  return value;
}

template <std::size_t kDigits>
inline __m512 combined(const __m512i (&sum)[kDigits]) {
  __m512 value = _mm512_cvtepi32_ps(sum[kDigits - 1]);
  for (std::size_t digit = kDigits - 1; digit-- > 0;) {
    value = _mm512_fmadd_ps(value, _mm512_set1_ps(kDigitStep), _mm512_cvtepi32_ps(sum[digit]));
  }
  return value;
}

// The sums of words [first, first + kWords / 2) of sub-block j, for each digit.
template <KType kType, std::size_t kDigits>
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

// y plus sub-block j of one tile, given the sums of its halves.
template <KType kType, std::size_t kDigits>
inline __m512 finished(const std::byte* block, std::size_t j, const XBlock& x,
                       __m512i (&first)[kDigits], const __m512i (&second)[kDigits], __m512 y) {
  constexpr KPlaces kAt = k_places(kType);
  const __m512 d = halves_of(block);
  const __m512 scale = _mm512_set1_ps(x.scale);
  const float all = combined<kDigits>(x.sums);
  if constexpr (kType == KType::kQ6) {
    const float half = combined<kDigits>(x.half_sums);
    const std::byte* const scales = block + kAt.scales + 2 * j * kTileRows;
    const __m512 v0 = _mm512_sub_ps(combined(first), _mm512_set1_ps(32 * half));
    const __m512 v1 = _mm512_sub_ps(combined(second), _mm512_set1_ps(32 * (all - half)));
    const __m512 both =
        _mm512_fmadd_ps(signed_of(scales), v0, _mm512_mul_ps(signed_of(scales + kTileRows), v1));
    return _mm512_fmadd_ps(both, _mm512_mul_ps(d, scale), y);
  } else {
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      first[digit] = _mm512_add_epi32(first[digit], second[digit]);
    }
    const __m512 slope = _mm512_mul_ps(d, unsigned_of(block + kAt.scales + j * kTileRows));
    const __m512 minimum = _mm512_mul_ps(halves_of(block + kAt.minimum),
                                         unsigned_of(block + kAt.minima + j * kTileRows));
    y = _mm512_fmadd_ps(combined(first), _mm512_mul_ps(slope, scale), y);
    return _mm512_fnmadd_ps(minimum, _mm512_set1_ps(all * x.scale), y);
  }
}

template <std::size_t kBytes>
inline void prefetch(const std::byte* block, std::size_t j) {
  constexpr std::size_t kLines = kBytes / 64 / 8 + 1;  // for each of eight sub-blocks
  for (std::size_t line = 0; line < kLines; ++line) {
    _mm_prefetch(reinterpret_cast<const char*>(block + kPrefetch + (j * kLines + line) * 64),
                 _MM_HINT_T0);
  }
}

// One tile: two that share what is read of x are slower on Zen 5.
template <KType kType, std::size_t kDigits>
void k_row(const Product& p, std::size_t tile) {
  constexpr std::size_t kBytes = k_places(kType).bytes;
  const auto* words = reinterpret_cast<const std::int32_t*>(p.x->int8(0));
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  __m512 y = _mm512_setzero_ps();
  for (std::size_t b = 0; b < p.x->blocks(); b += 8, block += kBytes) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j) {
      const std::size_t at = (b + j) * kDigits;
      const XBlock x{words + at * kWords, p.x->sums(0) + at, p.x->half_sums(0) + at,
                     p.x->scales(0)[b + j]};
      __m512i first[kDigits] = {};
      __m512i second[kDigits] = {};
      add_half<kType>(block, j, 0, x, first);
      add_half<kType>(block, j, kWords / 2, x, second);
      prefetch<kBytes>(block, j);
      y = finished<kType>(block, j, x, first, second, y);
    }
  }
  _mm512_storeu_ps(p.y + tile * kTileRows, y);
}

template <KType kType, std::size_t kDigits>
void k_rows(const Product& p, TileRange tiles) {
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    k_row<kType, kDigits>(p, tile);
  }
}

template <KType kType>
void k_rows(const Product& p, TileRange tiles) {
  if (p.x->format == RowFormat::kInt8Digits) {
    k_rows<kType, 3>(p, tiles);
  } else {
    k_rows<kType, 1>(p, tiles);
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
