// SPDX-License-Identifier: Apache-2.0
#include "optimized/kernels/matmul.h"

#include <algorithm>
#include <cassert>

#include "optimized/device/features.h"
#include "optimized/kernels/tile_kernels.h"

namespace assay::cpu {
namespace {

bool is_int8(RowFormat format) {
  return format == RowFormat::kInt8 || format == RowFormat::kInt8Digits;
}

TileKernel kernel_for(RowFormat format) {
  const Features has = features();
  if (format == RowFormat::kBf16) {
    return multiply_bf16_dot;
  }
  if (!is_int8(format)) {
    return multiply_f32;
  }
  if (has.avx512_vnni) {
    return multiply_int8_vnni;
  }
  return has.avx2 ? multiply_int8_avx2 : multiply_int8;
}

}  // namespace

RowFormat row_format(WeightLayout layout, Arithmetic arithmetic, std::size_t rows) {
  const Features has = features();
  switch (layout) {
    case WeightLayout::kBf16:
      if (arithmetic == Arithmetic::kBf16) {
        const bool dot =
            rows == 1 ? has.avx512_bf16 : has.fast_bf16_dot;  // one row: memory decides
        return dot ? RowFormat::kBf16 : RowFormat::kF32RoundedToBf16;
      }
      return RowFormat::kF32;
    case WeightLayout::kQ8:
    case WeightLayout::kQ4:
      if (arithmetic == Arithmetic::kInt8) {
        return RowFormat::kInt8;
      }
      return has.avx512_vnni ? RowFormat::kInt8Digits : RowFormat::kF32;
    case WeightLayout::kF32:
    case WeightLayout::kRows:
      break;
  }
  return RowFormat::kF32;
}

void multiply(std::span<const Product> products, const Threads& threads) {
  threads.run([&](int thread, int count) {
    const auto t = static_cast<std::size_t>(thread);
    const auto n = static_cast<std::size_t>(count);
    for (const Product& product : products) {
      assert(product.weight->columns == product.x->columns);
      assert(product.stride >= product.weight->tiles() * kTileRows);
      const std::size_t tiles = product.weight->tiles();
      const TileRange mine{tiles * t / n, tiles * (t + 1) / n};
      if (mine.first < mine.end) {
        kernel_for(product.x->format)(product, mine);
      }
    }
  });
}

}  // namespace assay::cpu
