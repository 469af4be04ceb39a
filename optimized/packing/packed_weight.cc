// SPDX-License-Identifier: Apache-2.0
#include "optimized/packing/packed_weight.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "optimized/packing/interleave.h"
#include "optimized/packing/k_blocks.h"
#include "reference/family/base/number_formats.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kQ8Stored = 34;  // bytes of a block in the file
constexpr std::size_t kQ4Stored = 18;
constexpr std::size_t kScales = kTileRows * 2;
constexpr std::uint32_t kOffset = 0x80808080U;  // int8 to its value + 128

WeightLayout layout_of(DType stored) {
  const std::string_view name = dtype_name(stored);
  if (name == "BF16") {
    return WeightLayout::kBf16;
  }
  if (name == "Q8_0") {
    return WeightLayout::kQ8;
  }
  if (name == "Q4_0") {
    return WeightLayout::kQ4;
  }
  if (k_type(stored)) {
    return WeightLayout::kK;
  }
  return stored.info().block_elements > 1 ? WeightLayout::kRows : WeightLayout::kF32;
}

struct TileSource {
  const std::byte* rows;  // the first of the tile
  std::size_t row_bytes;
  std::size_t count;  // rows that exist; the others are zero
  std::size_t columns;
};

void pack_blocks(const TileSource& from, bool q8, std::byte* to) {
  const std::size_t stored = q8 ? kQ8Stored : kQ4Stored;
  const std::size_t words = (stored - 2) / 4;
  const std::size_t packed = kScales + kTileRows * 4 * words;
  const std::uint32_t flip = q8 ? kOffset : 0;
  for (std::size_t b = 0; b < from.columns / kBlock; ++b, to += packed) {
    for (std::size_t r = 0; r < kTileRows; ++r) {
      if (r >= from.count) {
        std::memset(to + 2 * r, 0, 2);  // the scale is 0: whatever the codes are
        continue;
      }
      const std::byte* block = from.rows + r * from.row_bytes + b * stored;
      std::memcpy(to + 2 * r, block, 2);
      spread(block + 2, words, r, to + kScales, flip);
    }
  }
}

void pack_bf16(const TileSource& from, std::byte* to) {
  const std::size_t words = from.columns / 2;
  for (std::size_t r = 0; r < from.count; ++r) {
    const std::byte* row = from.rows + r * from.row_bytes;
    spread(row, words, r, to);
    if (from.columns % 2 != 0) {
      std::byte last[4] = {};
      std::memcpy(last, row + 4 * words, 2);
      spread(last, 1, r, to + words * kTileRows * 4);
    }
  }
}

void pack_floats(const TileSource& from, std::byte* to) {
  for (std::size_t r = 0; r < from.count; ++r) {
    spread(from.rows + r * from.row_bytes, from.columns, r, to);
  }
}

std::size_t tile_bytes(const WeightView& plan) {
  switch (plan.layout) {
    case WeightLayout::kF32:
      return plan.columns * kTileRows * 4;
    case WeightLayout::kBf16:
      return round_up(plan.columns, 2) * kTileRows * 2;
    case WeightLayout::kQ8:
      return plan.columns / kBlock * (kScales + kTileRows * 32);
    case WeightLayout::kQ4:
      return plan.columns / kBlock * (kScales + kTileRows * 16);
    case WeightLayout::kK:
      return plan.columns / kSuperBlock * k_places(*k_type(plan.stored)).bytes;
    case WeightLayout::kRows:
      break;
  }
  return stored_row_bytes(plan) * kTileRows;
}

}  // namespace

WeightView plan_rows(DType stored, std::size_t rows, std::size_t columns) {
  WeightView plan;
  plan.layout = layout_of(stored);
  plan.rows = rows;
  plan.columns = columns;
  plan.stored = stored;
  plan.tile = tile_bytes(plan);
  return plan;
}

std::size_t stored_row_bytes(const WeightView& plan) {
  if (plan.layout == WeightLayout::kF32) {
    return plan.columns * sizeof(float);
  }
  const auto& info = plan.stored.info();
  return plan.columns / info.block_elements * info.block_bytes;
}

void pack_tile(const WeightView& plan, std::span<const std::byte> rows, std::byte* to) {
  const std::size_t bytes = stored_row_bytes(plan);
  const TileSource from{rows.data(), bytes, rows.size() / bytes, plan.columns};
  switch (plan.layout) {
    case WeightLayout::kF32:
      pack_floats(from, to);
      return;
    case WeightLayout::kBf16:
      pack_bf16(from, to);
      return;
    case WeightLayout::kK:
      pack_k_tile(*k_type(plan.stored), from.rows, bytes, from.count, plan.columns, to);
      return;
    case WeightLayout::kRows:
      std::copy(rows.begin(), rows.end(), to);
      return;
    case WeightLayout::kQ8:
    case WeightLayout::kQ4:
      pack_blocks(from, plan.layout == WeightLayout::kQ8, to);
      return;
  }
}

void unpack_row(const WeightView& weight, std::size_t row, float* out) {
  const std::byte* const tile = weight.data + row / kTileRows * weight.tile;
  const std::size_t r = row % kTileRows;
  const auto code = [](std::byte value) { return std::to_integer<int>(value); };
  switch (weight.layout) {
    case WeightLayout::kF32:
      for (std::size_t k = 0; k < weight.columns; ++k) {
        out[k] = reinterpret_cast<const float*>(tile)[k * kTileRows + r];
      }
      return;
    case WeightLayout::kBf16:
      for (std::size_t k = 0; k < weight.columns; ++k) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, tile + (k / 2 * kTileRows + r) * 4 + k % 2 * 2, 2);
        out[k] = float_from_bf16(bits);
      }
      return;
    case WeightLayout::kQ8:
    case WeightLayout::kQ4: {
      const bool q8 = weight.layout == WeightLayout::kQ8;
      const std::size_t block = kScales + kTileRows * (q8 ? 32 : 16);
      for (std::size_t k = 0; k < weight.columns; ++k) {
        const std::byte* at = tile + k / kBlock * block;
        const float scale = half_at(at + 2 * r);
        const std::size_t j = q8 ? k % kBlock : k % (kBlock / 2);
        const int byte = code(at[kScales + (j / 4 * kTileRows + r) * 4 + j % 4]);
        const int low = k % kBlock < kBlock / 2 ? byte & 15 : byte >> 4;
        out[k] = scale * static_cast<float>(q8 ? byte - 128 : low - 8);
      }
      return;
    }
    case WeightLayout::kK:
      unpack_k_row(*k_type(weight.stored), tile, r, weight.columns, out);
      return;
    case WeightLayout::kRows:
      break;
  }
  weight.stored.info().to_float(tile + r * weight.tile / kTileRows, weight.columns, out);
}

}  // namespace assay::cpu
