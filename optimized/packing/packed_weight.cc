// SPDX-License-Identifier: Apache-2.0
#include "optimized/packing/packed_weight.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <vector>

#include "optimized/packing/non_finite.h"
#include "reference/family/base/number_formats.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kQ8Stored = 34;  // bytes of a block in the file
constexpr std::size_t kQ4Stored = 18;
constexpr std::size_t kScales = kTileRows * 2;
constexpr std::uint32_t kOffset = 0x80808080U;  // int8 to its value + 128

// The stored bytes of rows [first, first + count) where they can be taken as they are.
std::optional<StoredBytes> stored_rows(const Checkpoint& checkpoint, const WeightRows& rows) {
  auto stored = checkpoint.stored(rows.name);
  if (!stored) {
    return std::nullopt;
  }
  const auto& info = stored->dtype.info();
  const std::size_t columns = stored->shape.back();
  const std::size_t row_bytes = columns / info.block_elements * info.block_bytes;
  const auto all = static_cast<std::size_t>(stored->bytes.size() / row_bytes);
  if (columns % info.block_elements != 0 || rows.first + rows.count > all) {
    return std::nullopt;
  }
  stored->bytes = stored->bytes.subspan(rows.first * row_bytes, rows.count * row_bytes);
  return stored;
}

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
  return stored.info().block_elements > 1 ? WeightLayout::kRows : WeightLayout::kF32;
}

// Words of one row of a block to their places in the tile; `flip` is xored into each.
void spread(const std::byte* from, std::size_t words, std::size_t row, std::uint32_t flip,
            std::byte* to) {
  for (std::size_t g = 0; g < words; ++g) {
    std::uint32_t word = 0;
    std::memcpy(&word, from + 4 * g, 4);
    word ^= flip;
    std::memcpy(to + g * kTileRows * 4 + row * 4, &word, 4);
  }
}

struct TileSource {
  const std::byte* rows;  // the first of the tile
  std::size_t row_bytes;
  std::size_t count;  // rows that exist; the others are zero
  std::size_t columns;

  std::span<const std::byte> bytes() const { return {rows, count * row_bytes}; }
};

std::size_t row_bytes_of(const WeightView& plan) {
  if (plan.layout == WeightLayout::kF32) {
    return plan.columns * sizeof(float);
  }
  const auto& info = plan.stored.info();
  return plan.columns / info.block_elements * info.block_bytes;
}

TileSource tile_source(const WeightView& plan, std::span<const std::byte> rows, std::size_t tile) {
  const std::size_t row = tile * kTileRows;
  const std::size_t bytes = row_bytes_of(plan);
  return {rows.data() + row * bytes, bytes, std::min(kTileRows, plan.rows - row), plan.columns};
}

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
      spread(block + 2, words, r, flip, to + kScales);
    }
  }
}

void pack_bf16(const TileSource& from, std::byte* to) {
  const std::size_t words = from.columns / 2;
  for (std::size_t r = 0; r < from.count; ++r) {
    const std::byte* row = from.rows + r * from.row_bytes;
    spread(row, words, r, 0, to);
    if (from.columns % 2 != 0) {
      std::byte last[4] = {};
      std::memcpy(last, row + 4 * words, 2);
      spread(last, 1, r, 0, to + words * kTileRows * 4);
    }
  }
}

void pack_floats(const TileSource& from, std::byte* to) {
  for (std::size_t r = 0; r < from.count; ++r) {
    spread(from.rows + r * from.row_bytes, from.columns, r, 0, to);
  }
}

float half_at(const std::byte* at) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, at, 2);
  return float_from_f16(bits);
}

}  // namespace

std::size_t tile_bytes(WeightLayout layout, std::size_t columns) {
  switch (layout) {
    case WeightLayout::kBf16:
      return round_up(columns, 2) * kTileRows * 2;
    case WeightLayout::kQ8:
      return columns / kBlock * (kScales + kTileRows * 32);
    case WeightLayout::kQ4:
      return columns / kBlock * (kScales + kTileRows * 16);
    case WeightLayout::kF32:
    case WeightLayout::kRows:
      break;
  }
  return columns * kTileRows * 4;
}

WeightView plan_rows(DType stored, std::size_t rows, std::size_t columns) {
  WeightView plan;
  plan.layout = layout_of(stored);
  plan.rows = rows;
  plan.columns = columns;
  plan.stored = stored;
  plan.tile = plan.layout == WeightLayout::kRows ? row_bytes_of(plan) * kTileRows
                                                 : tile_bytes(plan.layout, columns);
  return plan;
}

void pack_tiles(const WeightView& plan, std::span<const std::byte> rows, std::size_t first,
                std::size_t end, std::byte* to) {
  for (std::size_t tile = first; tile < end; ++tile) {
    const TileSource from = tile_source(plan, rows, tile);
    std::byte* const out = to + tile * plan.tile;
    switch (plan.layout) {
      case WeightLayout::kF32:
        pack_floats(from, out);
        break;
      case WeightLayout::kBf16:
        pack_bf16(from, out);
        break;
      case WeightLayout::kRows:
        std::copy_n(from.rows, from.bytes().size(), out);
        break;
      case WeightLayout::kQ8:
      case WeightLayout::kQ4:
        pack_blocks(from, plan.layout == WeightLayout::kQ8, out);
        break;
    }
  }
}

WeightView plan_weight(const Checkpoint& checkpoint, const WeightRows& rows) {
  const auto stored = stored_rows(checkpoint, rows);
  return plan_rows(stored ? stored->dtype : DType::kF32, rows.count,
                   checkpoint.shape(rows.name).back());
}

void pack_weight(const Checkpoint& checkpoint, const WeightRows& rows, std::byte* to,
                 WeightView& plan, const Threads& threads) {
  plan.data = to;
  std::vector<float> values(kTileRows * plan.columns);
  // Reads a tile, which throws for what is not finite.
  const auto read = [&](std::size_t tile) {
    const std::size_t row = tile * kTileRows;
    const std::size_t count = std::min(kTileRows, plan.rows - row);
    checkpoint.read(rows.name, (rows.first + row) * plan.columns, count * plan.columns,
                    values.data());
    return std::as_bytes(std::span(values)).first(count * plan.columns * sizeof(float));
  };
  if (plan.layout == WeightLayout::kF32) {
    for (std::size_t tile = 0; tile < plan.tiles(); ++tile) {
      pack_floats({read(tile).data(), plan.columns * sizeof(float),
                   std::min(kTileRows, plan.rows - tile * kTileRows), plan.columns},
                  to + tile * plan.tile);
    }
    return;
  }
  const StoredBytes stored = *stored_rows(checkpoint, rows);
  std::vector<std::uint8_t> suspects(plan.tiles());
  threads.split(plan.tiles(), 1, [&](std::size_t first, std::size_t end) {
    for (std::size_t tile = first; tile < end; ++tile) {
      suspects[tile] =
          may_be_non_finite(plan.stored, tile_source(plan, stored.bytes, tile).bytes()) ? 1 : 0;
      pack_tiles(plan, stored.bytes, tile, tile + 1, to);
    }
  });
  for (std::size_t tile = 0; tile < suspects.size(); ++tile) {
    if (suspects[tile] != 0) {
      read(tile);
    }
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
    case WeightLayout::kRows:
      break;
  }
  weight.stored.info().to_float(tile + r * weight.tile / kTileRows, weight.columns, out);
}

}  // namespace assay::cpu
