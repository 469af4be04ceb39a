// SPDX-License-Identifier: Apache-2.0
// Products of int8 with the dot product of ARMv8.2 (sdot): four signed bytes of x meet four rows of
// a tile. Codes of 8 bits lose the offset that they are stored with, those of 4 bits keep one of 8.
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

using Codes = int8x16_t;
using Sums = int32x4_t;
using Floats = float32x4_t;

constexpr std::size_t kVectorRows = 4;
constexpr std::size_t kPanelParts = 2;

template <bool kEight>
constexpr std::int32_t kOffset = kEight ? 0 : -8;

template <bool kEight>
inline Codes codes_of(const std::byte* block, std::size_t g, std::size_t part) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(block) + 32 + 16 * part;
  if constexpr (kEight) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(at + 64 * g), vdupq_n_u8(128)));
  } else {
    const uint8x16_t pairs = vld1q_u8(at + 64 * (g % 4));
    return vreinterpretq_s8_u8(g < 4 ? vandq_u8(pairs, vdupq_n_u8(15)) : vshrq_n_u8(pairs, 4));
  }
}

inline Floats scales_of(const std::byte* block, std::size_t part) {
  const auto* at = reinterpret_cast<const std::uint16_t*>(block) + kVectorRows * part;
  return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at)));
}

inline Sums sums_of(std::int32_t value) {
  return vdupq_n_s32(value);
}

// The word of row m lies in lane m of x.
template <std::size_t kRows>
inline void add_products(Codes codes, const std::int8_t* x, Sums (&sum)[kRows]) {
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

inline Floats floats_of(float value) {
  return vdupq_n_f32(value);
}
inline Floats floats_of(Sums sums) {
  return vcvtq_f32_s32(sums);
}
inline Floats multiply(Floats a, Floats b) {
  return vmulq_f32(a, b);
}
inline Floats multiply_add(Floats a, Floats b, Floats c) {
  return vfmaq_f32(c, a, b);
}

inline void store(Floats values, float* at) {
  vst1q_f32(at, values);
}

}  // namespace
}  // namespace assay::cpu

#include "optimized/kernels/int8_panels-inl.h"

namespace assay::cpu {

void multiply_int8_dotprod(const Product& p, TileRange tiles) {
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

void multiply_int8_dotprod(const Product& product, TileRange tiles) {
  multiply_int8(product, tiles);
}

}  // namespace assay::cpu

#endif
