// SPDX-License-Identifier: Apache-2.0
// The stored number formats of a checkpoint, widened exactly, and the way back to bf16.
//
//   bf16  1 sign, 8 exponent, 7 fraction bits: the upper half of an fp32
//   f16   1 sign, 5 exponent, 10 fraction bits (IEEE 754 binary16)
//   e4m3  1 sign, 4 exponent, 3 fraction bits: up to 448, no infinity, NaN where all bits are set
//   e5m2  1 sign, 5 exponent, 2 fraction bits: the upper half of an f16
//   e8m0  a power of two, 2^(code - 127); 255 is NaN
//   e2m1  1 sign, 2 exponent, 1 fraction bit: 0, 0.5, 1, 1.5, 2, 3, 4, 6
//
// The last four are those of the Open Compute Project (OCP 8-bit Floating Point 1.0, Microscaling
// Formats 1.0).
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace assay {

inline float float_from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// Round to nearest, ties to even; a NaN stays a NaN.
inline std::uint16_t bf16_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) {
    return static_cast<std::uint16_t>((bits >> 16) | 0x0040u);
  }
  const std::uint32_t half_minus_one = 0x7FFFu + ((bits >> 16) & 1u);
  return static_cast<std::uint16_t>((bits + half_minus_one) >> 16);
}

inline float round_to_bf16(float value) {
  return float_from_bf16(bf16_from_float(value));
}

inline float float_from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1Fu;
  const std::uint32_t fraction = bits & 0x3FFu;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24, exact in fp32
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t widened = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | (widened << 23) | (fraction << 13));
}

inline float float_from_e4m3(std::uint8_t bits) {
  if ((bits & 0x7Fu) == 0x7Fu) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  const auto magnitude = static_cast<std::uint16_t>((bits & 0x7Fu) << 7);  // an f16 over 256
  const float value = float_from_f16(magnitude) * 256.0f;
  return (bits & 0x80u) != 0 ? -value : value;
}

inline float float_from_e5m2(std::uint8_t bits) {
  return float_from_f16(static_cast<std::uint16_t>(bits << 8));
}

inline float float_from_e8m0(std::uint8_t bits) {
  if (bits == 0xFFu) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  // 2^-127 is an fp32 subnormal.
  return std::bit_cast<float>(bits == 0 ? 0x00400000u : static_cast<std::uint32_t>(bits) << 23);
}

// The lower four bits.
inline float float_from_e2m1(std::uint8_t bits) {
  constexpr float kMagnitudes[] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};
  const float magnitude = kMagnitudes[bits & 7u];
  return (bits & 8u) != 0 ? -magnitude : magnitude;
}

// Round to nearest, ties to even; beyond 65504 becomes infinity, a NaN stays a NaN.
inline std::uint16_t f16_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) {
    return static_cast<std::uint16_t>(sign | 0x7E00u);
  }
  if (magnitude >= 0x47800000u) {  // 65536 and up
    return static_cast<std::uint16_t>(sign | 0x7C00u);
  }
  if (magnitude < 0x38800000u) {  // below 2^-14: 0.5 has the ulp 2^-24 of an f16 subnormal
    const float aligned = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(aligned) - 0x3F000000u));
  }
  const std::uint32_t rounded = magnitude + 0x0FFFu + ((magnitude >> 13) & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

}  // namespace assay
