// SPDX-License-Identifier: Apache-2.0
// Products of int8 by an instruction that adds four products of bytes to each 32-bit sum.
//
// Included once by a source, for an instruction set, after it has defined in assay::cpu:
//
//   kVectorRows, kPanelParts    rows of a tile in a vector; vectors of a tile that a panel of four
//                               rows of x has registers for
//   Codes, Sums, Floats         vectors of bytes, of 32-bit sums, of floats
//   kOffset<kEight>             what codes lack: a sum begins at that times the sum of x's codes
//   codes_of<kEight>(block, g, part)      the codes 4g … 4g + 3 of part `part` of a tile
//   scales_of(block, part)
//   sums_of(n), add_products(codes, x, sum)      x: one word of four codes for each sum
//   floats_of(number or sums), multiply(a, b), multiply_add(a, b, c): a b + c, store(floats, at)
#pragma once

#include <algorithm>
#include <cstdint>

#include "optimized/kernels/tile_kernels.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kPrefetch = 4096;  // bytes ahead: past the end of a small page
constexpr std::size_t kParts = kTileRows / kVectorRows;

template <bool kEight>
constexpr std::size_t kBytes = kEight ? 544 : 288;  // of a block of a tile

// One block of a part of a tile with `kRows` rows of x: the sums of codes, digits combined. x:
// codes [digit][8][rows][4]; sums: [digit][rows].
template <bool kEight, std::size_t kDigits, std::size_t kRows>
inline void block_sums(const std::byte* block, std::size_t part, const std::int8_t* x,
                       const std::int32_t* sums, Floats (&value)[kRows]) {
  for (std::size_t digit = kDigits; digit-- > 0;) {
    Sums sum[kRows];
    for (std::size_t m = 0; m < kRows; ++m) {
      sum[m] = sums_of(kOffset<kEight> * sums[digit * kRows + m]);
    }
#pragma GCC unroll 8
    for (std::size_t g = 0; g < 8; ++g) {
      add_products(codes_of<kEight>(block, g, part), x + (digit * 8 + g) * kRows * 4, sum);
    }
    for (std::size_t m = 0; m < kRows; ++m) {
      const Floats whole = floats_of(sum[m]);
      value[m] =
          digit + 1 == kDigits ? whole : multiply_add(value[m], floats_of(1 / 254.0F), whole);
    }
  }
}

template <bool kEight>
inline void prefetch_block(const std::byte* block) {
  for (std::size_t at = 0; at < kBytes<kEight>; at += 64) {
    __builtin_prefetch(block + kPrefetch + at);
  }
}

// `kSome` parts of a tile, from `part` on, with a panel of `kRows` rows of x.
template <bool kEight, std::size_t kDigits, std::size_t kRows, std::size_t kSome>
inline void panel_product(const Product& p, std::size_t tile, std::size_t part, std::size_t panel) {
  const std::int8_t* x = p.x->int8(panel);
  const float* scales = p.x->scales(panel);
  const std::int32_t* sums = p.x->sums(panel);
  const std::byte* block = p.weight->data + tile * p.weight->tile;
  Floats y[kSome][kRows];
  for (auto& row : y) {
    std::fill_n(row, kRows, floats_of(0.0F));
  }
  for (std::size_t b = 0; b < p.x->blocks(); ++b, block += kBytes<kEight>) {
    if constexpr (kRows == 1) {
      prefetch_block<kEight>(block);
    }
    for (std::size_t q = 0; q < kSome; ++q) {
      Floats value[kRows] = {};
      block_sums<kEight, kDigits, kRows>(block, part + q, x, sums, value);
      const Floats scale = scales_of(block, part + q);
      for (std::size_t m = 0; m < kRows; ++m) {
        y[q][m] = multiply_add(value[m], multiply(scale, floats_of(scales[m])), y[q][m]);
      }
    }
    x += kDigits * kBlock * kRows;
    sums += kDigits * kRows;
    scales += kRows;
  }
  const std::size_t rows = std::min(kRows, p.x->rows - panel * kRows);
  for (std::size_t m = 0; m < rows; ++m) {
    float* const out = p.y + (panel * kRows + m) * p.stride + tile * kTileRows + part * kVectorRows;
    for (std::size_t q = 0; q < kSome; ++q) {
      store(y[q][m], out + q * kVectorRows);
    }
  }
}

// One row of x reads a tile once.
template <bool kEight, std::size_t kDigits>
void int8_tiles(const Product& p, TileRange tiles) {
  for (std::size_t tile = tiles.first; tile < tiles.end; ++tile) {
    if (p.x->height == 1) {
      panel_product<kEight, kDigits, 1, kParts>(p, tile, 0, 0);
      continue;
    }
    for (std::size_t part = 0; part < kParts; part += kPanelParts) {
      for (std::size_t panel = 0; panel < p.x->panels(); ++panel) {
        panel_product<kEight, kDigits, 4, kPanelParts>(p, tile, part, panel);
      }
    }
  }
}

}  // namespace
}  // namespace assay::cpu
