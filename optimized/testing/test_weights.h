// SPDX-License-Identifier: Apache-2.0
// For tests: matrices in a storage type, as a file would have them, packed; and their exact values.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "optimized/packing/packed_weight.h"
#include "optimized/testing/test_numbers.h"
#include "reference/family/base/error.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/ggml_blocks.h"

namespace assay::cpu {

inline DType dtype_named(std::string_view name) {
  for (const DTypeInfo& row : all_dtypes()) {
    if (row.name == name) {
      return DType(row);
    }
  }
  throw Error("dtype: got " + std::string(name) + ", expected a row of the table");
}

// Any bytes for codes, finite numbers for scales.
inline void random_blocks(const DTypeInfo& info, Numbers& numbers, std::span<std::byte> row) {
  for (std::byte& byte : row) {
    byte = static_cast<std::byte>(numbers.bits() & 255);
  }
  const auto put = [&](std::size_t block, std::size_t at, double most) {
    const std::uint16_t half = f16_from_float(numbers.between(-most, most));
    std::memcpy(row.data() + block + at, &half, 2);
  };
  for (std::size_t block = 0; block < row.size(); block += info.block_bytes) {
    switch (static_cast<GgmlBlock>(info.ggml_type)) {
      case GgmlBlock::kMxfp4:
        row[block] = static_cast<std::byte>(numbers.integer(116, 132));
        break;
      case GgmlBlock::kNvfp4:
        break;
      case GgmlBlock::kQ6K:
        put(block, 208, 0.01);
        break;
      case GgmlBlock::kQ4_1:
      case GgmlBlock::kQ5_1:
      case GgmlBlock::kQ4K:
      case GgmlBlock::kQ5K:
        put(block, 2, 0.1);
        put(block, 0, 0.1);
        break;
      default:
        put(block, 0, 0.1);
        break;
    }
  }
}

// Codes as they are: q8_0 and q4_0 with the scale 1.
inline void whole_blocks(const DTypeInfo& info, const std::vector<float>& values, std::byte* out) {
  const bool eight = info.name == "Q8_0";
  const std::uint16_t one = f16_from_float(1);
  for (std::size_t k = 0; k < values.size(); k += 32, out += info.block_bytes) {
    std::memcpy(out, &one, 2);
    for (std::size_t j = 0; j < (eight ? 32 : 16); ++j) {
      const int low = static_cast<int>(values[k + j]);
      const int high = eight ? 0 : static_cast<int>(values[k + j + 16]);
      out[2 + j] = static_cast<std::byte>(eight ? low & 255 : (low + 8) | (high + 8) << 4);
    }
  }
}

// All rows of `plan`, whose data will be `to`.
inline void pack_all(WeightView& plan, std::span<const std::byte> rows, std::byte* to) {
  const std::size_t bytes = stored_row_bytes(plan);
  for (std::size_t row = 0; row < plan.rows; row += kTileRows) {
    const std::size_t count = std::min(kTileRows, plan.rows - row);
    pack_tile(plan, rows.subspan(row * bytes, count * bytes), to + row / kTileRows * plan.tile);
  }
  plan.data = to;
}

class TestWeight {
 public:
  // `offset`: bytes between a multiple of 64 and the packed matrix.
  TestWeight(DType stored, DataSet set, Numbers& numbers, std::size_t rows, std::size_t columns,
             std::size_t offset = 0)
      : stored_(stored) {
    view = plan_rows(stored, rows, columns);
    const std::size_t row_bytes = stored_row_bytes(view);
    bytes_.resize(rows * row_bytes);
    for (std::size_t n = 0; n < rows; ++n) {
      fill(set, numbers, std::span(bytes_).subspan(n * row_bytes, row_bytes));
    }
    packed_.resize(view.bytes() + 128);
    const auto at = reinterpret_cast<std::uintptr_t>(packed_.data());
    std::byte* const to = packed_.data() + (64 - at % 64) % 64 + offset;
    pack_all(view, bytes_, to);
  }
  TestWeight(const TestWeight&) = delete;
  TestWeight& operator=(const TestWeight&) = delete;

  // By the table of types, which knows nothing of tiles.
  std::vector<double> row(std::size_t n) const {
    std::vector<double> values(view.columns);
    const std::size_t row_bytes = bytes_.size() / view.rows;
    widen(view.layout == WeightLayout::kF32 ? DType::kF32 : stored_,
          std::span(bytes_).subspan(n * row_bytes, row_bytes), 0, view.columns, values.data());
    return values;
  }

  WeightView view;

 private:
  void fill(DataSet set, Numbers& numbers, std::span<std::byte> row) const {
    const auto& info = stored_.info();
    const bool scaled = view.layout == WeightLayout::kQ8 || view.layout == WeightLayout::kQ4;
    if (view.layout == WeightLayout::kRows || view.layout == WeightLayout::kK) {
      random_blocks(info, numbers, row);
      return;
    }
    const auto values = weight_row(set, numbers, view.columns, scaled ? 12 : 30);
    if (scaled && is_exact(set)) {
      whole_blocks(info, values, row.data());
    } else if (view.layout == WeightLayout::kF32) {
      std::memcpy(row.data(), values.data(), row.size());
    } else {
      narrow(stored_, values, row.data());
    }
  }

  DType stored_;
  std::vector<std::byte> bytes_;
  std::vector<std::byte> packed_;
};

}  // namespace assay::cpu
