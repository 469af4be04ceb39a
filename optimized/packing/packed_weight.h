// SPDX-License-Identifier: Apache-2.0
// A matrix [rows, columns] of weights as the products read it: tiles of 16 rows, interleaved.
//
// One vector of 512 bits holds a 32-bit word of each of the 16 rows of a tile, so that a product
// needs no sum across lanes, reads one stream, and serves one row of activations (decoding) as well
// as many (prefill). The bytes are as many as in the file.
//
//   f32   [tile][k][16]
//   bf16  [tile][k/2][16][2]                                      k rounded up to even
//   q8_0  [tile][k/32]{ f16 d[16]; u8 q+128 [8][16][4] }          544 bytes a block
//   q4_0  [tile][k/32]{ f16 d[16]; u8 pairs [4][16][4] }          288 bytes a block, as in GGUF:
//                                                                 low half: k, high half: k + 16
//   K     [tile][k/256]{ scales, minima, codes }                  k_blocks.h; 3 % more bytes
//   rows  [row] as it is stored, decoded when it is used          every other block type
//
// Rows are padded to whole tiles with zeros. Quantised blocks keep their bits: nothing is rounded,
// and a row that is padding has the scale 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reference/family/checkpoint/dtype.h"

namespace assay::cpu {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kBlock = 32;  // elements of a block of q8_0 and q4_0

enum class WeightLayout { kF32, kBf16, kQ8, kQ4, kK, kRows };

constexpr std::size_t round_up(std::size_t value, std::size_t to) {
  return (value + to - 1) / to * to;
}

// What a product needs to know; points into memory that somebody else owns.
struct WeightView {
  WeightLayout layout = WeightLayout::kF32;
  std::size_t rows = 0;
  std::size_t columns = 0;
  const std::byte* data = nullptr;
  std::size_t tile = 0;        // bytes from one tile to the next
  DType stored = DType::kF32;  // its type in the file

  std::size_t tiles() const { return (rows + kTileRows - 1) / kTileRows; }
  std::size_t bytes() const { return tiles() * tile; }
  bool empty() const { return rows == 0; }
};

// How rows of a stored type are laid out, and how many bytes that takes.
WeightView plan_rows(DType stored, std::size_t rows, std::size_t columns);

// The bytes of a row before it is packed: as it is stored, for the layout f32 as floats.
std::size_t stored_row_bytes(const WeightView& plan);

// Fills a tile, whose bytes are zero, from up to 16 rows. No value is looked at.
void pack_tile(const WeightView& plan, std::span<const std::byte> rows, std::byte* to);

// Row `row` as floats, exactly.
void unpack_row(const WeightView& weight, std::size_t row, float* out);

}  // namespace assay::cpu
