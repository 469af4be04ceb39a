// SPDX-License-Identifier: Apache-2.0
// The inner products of matmul.h, by instruction set: a range of tiles with all panels of x.
#pragma once

#include <cstddef>

#include "optimized/kernels/matmul.h"

namespace assay::cpu {

struct TileRange {
  std::size_t first = 0;
  std::size_t end = 0;
};

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
void multiply_bf16_dot(const Product& product, TileRange tiles);

}  // namespace assay::cpu
