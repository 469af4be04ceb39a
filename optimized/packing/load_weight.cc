// SPDX-License-Identifier: Apache-2.0
#include "optimized/packing/load_weight.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "optimized/packing/non_finite.h"

namespace assay::cpu {
namespace {

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

// Rows one after another, in the order given.
std::vector<std::byte> gather_rows(std::span<const std::byte> rows, std::size_t row_bytes,
                                   std::span<const std::int64_t> order) {
  std::vector<std::byte> gathered;
  for (const std::int64_t row : order) {
    const auto from = rows.subspan(static_cast<std::size_t>(row) * row_bytes, row_bytes);
    gathered.insert(gathered.end(), from.begin(), from.end());
  }
  return gathered;
}

// The rows of a tensor, tile by tile, as floats that are finite.
struct TensorRows {
  const Checkpoint& checkpoint;
  const WeightRows& rows;
  std::size_t columns;
  std::span<const std::int64_t> order;

  // Throws for a NaN or an infinity.
  std::vector<float> read(std::size_t tile) const {
    const std::size_t first = tile * kTileRows;
    const std::size_t count = std::min(kTileRows, rows.count - first);
    std::vector<float> values(count * columns);
    for (std::size_t r = 0; r < count; ++r) {
      const std::size_t row =
          order.empty() ? first + r : static_cast<std::size_t>(order[first + r]);
      checkpoint.read(rows.name, (rows.first + row) * columns, columns,
                      values.data() + r * columns);
    }
    return values;
  }
};

}  // namespace

WeightView plan_weight(const Checkpoint& checkpoint, const WeightRows& rows) {
  const auto stored = stored_rows(checkpoint, rows);
  return plan_rows(stored ? stored->dtype : DType::kF32, rows.count,
                   checkpoint.shape(rows.name).back());
}

void pack_weight(const Checkpoint& checkpoint, const WeightRows& rows, std::byte* to,
                 WeightView& plan, const Threads& threads, std::span<const std::int64_t> order) {
  plan.data = to;
  const TensorRows tensor{checkpoint, rows, plan.columns, order};
  if (plan.layout == WeightLayout::kF32) {
    for (std::size_t tile = 0; tile < plan.tiles(); ++tile) {
      const std::vector<float> values = tensor.read(tile);
      pack_tile(plan, std::as_bytes(std::span(values)), to + tile * plan.tile);
    }
    return;
  }
  const StoredBytes stored = *stored_rows(checkpoint, rows);
  const std::size_t row_bytes = stored_row_bytes(plan);
  std::vector<std::uint8_t> suspects(plan.tiles());
  threads.split(plan.tiles(), 1, [&](std::size_t first, std::size_t end) {
    std::vector<std::byte> gathered;
    for (std::size_t tile = first; tile < end; ++tile) {
      const std::size_t row = tile * kTileRows;
      const std::size_t count = std::min(kTileRows, plan.rows - row);
      auto from = std::span(stored.bytes);
      if (order.empty()) {
        from = from.subspan(row * row_bytes, count * row_bytes);
      } else {
        gathered = gather_rows(from, row_bytes, order.subspan(row, count));
        from = gathered;
      }
      suspects[tile] = may_be_non_finite(plan.stored, from) ? 1 : 0;
      pack_tile(plan, from, to + tile * plan.tile);
    }
  });
  for (std::size_t tile = 0; tile < suspects.size(); ++tile) {
    if (suspects[tile] != 0) {
      tensor.read(tile);  // throws for what is not finite
    }
  }
}

}  // namespace assay::cpu
