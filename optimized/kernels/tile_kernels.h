// SPDX-License-Identifier: Apache-2.0
// The inner products of matmul.h, by instruction set: a range of tiles with all panels of x.
#pragma once

#include <cstddef>
#include <type_traits>

#include "optimized/kernels/matmul.h"

namespace assay::cpu {

struct TileRange {
  std::size_t first = 0;
  std::size_t end = 0;
};

// Calls kernel(whether codes have 8 bits, how many digits), both as constants, as a product of int8
// has them.
template <class Kernel>
void with_int8_format(const Product& product, const Kernel& kernel) {
  const auto with_digits = [&](auto eight) {
    if (product.x->format == RowFormat::kInt8Digits) {
      kernel(eight, std::integral_constant<std::size_t, 3>());
    } else {
      kernel(eight, std::integral_constant<std::size_t, 1>());
    }
  };
  if (product.weight->layout == WeightLayout::kQ8) {
    with_digits(std::true_type());
  } else {
    with_digits(std::false_type());
  }
}

using TileKernel = void (*)(const Product& product, TileRange tiles);

// Any machine (Highway): every layout; x in f32, or int8 of one digit.
void multiply_f32(const Product& product, TileRange tiles);
void multiply_int8(const Product& product, TileRange tiles);

// With AVX2 (maddubs), AVX-VNNI, and the dot product of ARMv8.2; one digit or three.
void multiply_int8_avx2(const Product& product, TileRange tiles);
void multiply_int8_avx_vnni(const Product& product, TileRange tiles);
void multiply_int8_dotprod(const Product& product, TileRange tiles);

// With AVX-512 VNNI, one digit or three, and AVX-512 BF16.
void multiply_int8_vnni(const Product& product, TileRange tiles);
// K types with one row of x, in three digits or as q8_K.
void multiply_k_vnni(const Product& product, TileRange tiles);
void multiply_bf16_dot(const Product& product, TileRange tiles);

}  // namespace assay::cpu
