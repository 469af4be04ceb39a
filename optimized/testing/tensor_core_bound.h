// SPDX-License-Identifier: Apache-2.0
// How far a sum by tensor cores may be from the exact one: computed along the sum, step by step.
//
// A step cuts count + 1 terms at 2^-24 of the largest (Ampere: 8 products; Hopper: 16, at 2^-25,
// which is less), then the sum at 2^-23 of itself.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace assay::cuda {

inline double bf16_value(std::uint16_t bits) {
  return static_cast<double>(std::bit_cast<float>(std::uint32_t{bits} << 16));
}

struct ExactSum {
  double sum = 0, bound = 0;
};

inline ExactSum tensor_core_product(const std::uint16_t* a, const std::uint16_t* b,
                                    std::size_t depth) {
  ExactSum exact;
  for (std::size_t k = 0; k < depth; k += 8) {
    double largest = std::abs(exact.sum) + exact.bound;
    for (std::size_t i = k; i < std::min(k + 8, depth); ++i) {
      const double term = bf16_value(a[i]) * bf16_value(b[i]);
      largest = std::max(largest, std::abs(term));
      exact.sum += term;
    }
    exact.bound += 9 * 0x1p-24 * largest + 0x1p-23 * (std::abs(exact.sum) + exact.bound);
  }
  return exact;
}

inline std::uint16_t nearest_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

inline std::vector<std::uint16_t> nearest_bf16(const std::vector<float>& x) {
  std::vector<std::uint16_t> rounded(x.size());
  std::transform(x.begin(), x.end(), rounded.begin(), [](float f) { return nearest_bf16(f); });
  return rounded;
}

}  // namespace assay::cuda
