// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/tensor_core.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace assay::simt {
namespace {

constexpr int kLeast = -126;  // exponent of what is subnormal

float value_of(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

int exponent_of(std::uint32_t biased) {
  return biased == 0 ? kLeast : static_cast<int>(biased) - 127;
}

double power_of_two(int exponent) {  // of normal doubles
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

// Toward zero.
float cut_to_f32(double x) {
  auto f = static_cast<float>(x);
  if (std::abs(static_cast<double>(f)) > std::abs(x)) {
    f = std::nextafter(f, 0.0f);
  }
  return f + 0.0f;
}

float step(const std::uint16_t* a, const std::uint16_t* b, float c, int count, int fraction_bits) {
  constexpr int kMost = 16;
  double terms[kMost + 1];
  const auto c_bits = std::bit_cast<std::uint32_t>(c);
  int largest = -108 - fraction_bits;  // what a zero counts as
  double plain = static_cast<double>(c);
  terms[count] = plain;
  if (c != 0) {
    largest = std::max(largest, exponent_of(c_bits >> 23 & 0xffu));
  }
  for (int k = 0; k < count; ++k) {
    terms[k] = static_cast<double>(value_of(a[k])) * static_cast<double>(value_of(b[k]));
    plain += terms[k];
    if (terms[k] != 0) {
      largest = std::max(largest, exponent_of(a[k] >> 7 & 0xffu) + exponent_of(b[k] >> 7 & 0xffu));
    }
  }
  if (!std::isfinite(plain)) {
    return static_cast<float>(plain);
  }
  const double up = power_of_two(fraction_bits - largest);
  std::int64_t sum = 0;
  for (int k = 0; k <= count; ++k) {
    sum += static_cast<std::int64_t>(terms[k] * up);
  }
  return cut_to_f32(static_cast<double>(sum) * power_of_two(largest - fraction_bits));
}

}  // namespace

float tensor_core_sum(TensorCore core, const std::uint16_t* a, const std::uint16_t* b, float c) {
  if (core == TensorCore::kHopper) {
    return step(a, b, c, 16, 25);
  }
  return step(a + 8, b + 8, step(a, b, c, 8, 24), 8, 24);
}

}  // namespace assay::simt
