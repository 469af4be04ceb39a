// SPDX-License-Identifier: Apache-2.0
// What the products by tensor cores ask of a call, and how they cut it into blocks.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "optimized/device/cuda/simt.h"
#include "optimized/kernels/gemm_cuda.h"

namespace assay::cuda {

inline void check_gemm(const std::string& name, const Gemm& call) {
  if (call.depth < 8 || call.depth % 8 != 0) {
    throw std::invalid_argument(name + ": got a depth of " + std::to_string(call.depth) +
                                ", expected a multiple of 8");
  }
  const auto x = reinterpret_cast<std::uintptr_t>(call.x);
  const auto w = reinterpret_cast<std::uintptr_t>(call.w);
  if (x % 16 != 0 || w % 16 != 0) {
    throw std::invalid_argument(name + ": expected x and w at multiples of 16 bytes");
  }
}

inline dim3 gemm_grid(const Gemm& call, int tile_rows, int tile_columns) {
  const int rows = call.experts > 0 ? call.most : call.rows;
  return dim3(static_cast<unsigned>((call.columns + tile_columns - 1) / tile_columns),
              static_cast<unsigned>((rows + tile_rows - 1) / tile_rows),
              static_cast<unsigned>(call.experts > 0 ? call.experts : 1));
}

}  // namespace assay::cuda
