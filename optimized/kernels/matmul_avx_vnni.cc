// SPDX-License-Identifier: Apache-2.0
// Products of int8 with AVX-VNNI: vpdpbusd on 8 rows of a tile, for machines with AVX2 and no
// AVX-512.
//
// It multiplies unsigned by signed bytes and cannot overflow, so that codes of 8 bits are taken as
// they are stored, with an offset of 128, and those of 4 bits with one of 8.
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

using Codes = __m256i;
using Sums = __m256i;
using Floats = __m256;

constexpr std::size_t kVectorRows = 8;
constexpr std::size_t kPanelParts = 1;

template <bool kEight>
constexpr std::int32_t kOffset = kEight ? -128 : -8;

template <bool kEight>
inline Codes codes_of(const std::byte* block, std::size_t g, std::size_t part) {
  const auto* at = reinterpret_cast<const __m256i*>(block + 32 + 64 * (kEight ? g : g % 4));
  const __m256i bytes = _mm256_loadu_si256(at + part);
  if constexpr (kEight) {
    return bytes;
  } else {
    return _mm256_and_si256(g < 4 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  }
}

inline Sums sums_of(std::int32_t value) {
  return _mm256_set1_epi32(value);
}

template <std::size_t kRows>
inline void add_products(Codes codes, const std::int8_t* x, Sums (&sum)[kRows]) {
  const auto* words = reinterpret_cast<const std::int32_t*>(x);
  for (std::size_t m = 0; m < kRows; ++m) {
    sum[m] = _mm256_dpbusd_avx_epi32(sum[m], codes, _mm256_set1_epi32(words[m]));
  }
}

inline Floats floats_of(float value) {
  return _mm256_set1_ps(value);
}
inline Floats floats_of(Sums sums) {
  return _mm256_cvtepi32_ps(sums);
}
inline Floats multiply(Floats a, Floats b) {
  return _mm256_mul_ps(a, b);
}
inline Floats multiply_add(Floats a, Floats b, Floats c) {
  return _mm256_fmadd_ps(a, b, c);
}

inline Floats scales_of(const std::byte* block, std::size_t part) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + part));
}

inline void store(Floats values, float* at) {
  _mm256_storeu_ps(at, values);
}

}  // namespace
}  // namespace assay::cpu

#include "optimized/kernels/int8_panels-inl.h"

namespace assay::cpu {

void multiply_int8_avx_vnni(const Product& p, TileRange tiles) {
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

void multiply_int8_avx_vnni(const Product& product, TileRange tiles) {
  multiply_int8(product, tiles);
}

}  // namespace assay::cpu

#endif
