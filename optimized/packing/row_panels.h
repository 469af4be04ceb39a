// SPDX-License-Identifier: Apache-2.0
// Rows of activations [rows, columns] as the products read them: panels of `height` rows,
// interleaved, so that a product broadcasts one word after another.
//
//   f32      [panel][k][height]
//   bf16     [panel][k/2][height][2]                              k rounded up to even
//   int8     [panel][k/32][digit][8][height][4], with a scale and a sum for each block
//
// int8 has one digit or three. One is what ggml calls q8_0, or for the K types q8_K, whose 256
// elements share a scale, and loses 8 bits of the mantissa:
//
//   q8_0  s = max |x| / 127 over the block, stored as f16;  q = round(x * 127 / max |x|)
//   q8_K  s = 1 / (127 / max |x|) over 256 elements;        q = round(x * (127 / max |x|))
//
// Three lose nothing that fp32 holds: x = s (q0 + q1/254 + q2/254^2), s = max |x| / 127 in f32, to
// 6e-8 of the block's maximum. A sum of codes in each block undoes the offset of the weights.
//
// A block with a NaN or an infinity has the scale NaN, whatever its codes: every product with it is
// NaN. A block whose largest magnitude is not above 2^-120 counts as zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "optimized/device/threads.h"

namespace assay::cpu {

enum class RowFormat {
  kF32,
  kF32RoundedToBf16,   // f32 layout, values rounded to bf16: where there is no dot of bf16
  kF32RoundedToInt8K,  // f32 layout, the values s q of q8_K
  kBf16,
  kInt8,
  kInt8K,
  kInt8Digits
};

constexpr bool is_int8(RowFormat format) {
  return format == RowFormat::kInt8 || format == RowFormat::kInt8K ||
         format == RowFormat::kInt8Digits;
}

constexpr std::size_t digits_of(RowFormat format) {
  return format == RowFormat::kInt8Digits ? 3 : 1;
}

// Rows of floats, `stride` floats from one to the next.
struct RowsView {
  const float* data = nullptr;
  std::size_t stride = 0;
  std::size_t rows = 0;
  std::size_t columns = 0;

  const float* row(std::size_t r) const { return data + r * stride; }
};

class RowPanels {
 public:
  // Room for `rows` of `columns` in any format, so that packing takes no memory up to that.
  void reserve(std::size_t most_rows, std::size_t most_columns);

  void pack(const RowsView& x, RowFormat format, const Threads& threads);

  RowFormat format = RowFormat::kF32;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t height = 1;  // of a panel

  std::size_t panels() const { return (rows + height - 1) / height; }
  std::size_t blocks() const { return columns / 32; }
  const float* f32(std::size_t panel) const {
    return reinterpret_cast<const float*>(values_.data()) + panel * height * columns;
  }
  const std::uint16_t* bf16(std::size_t panel) const {
    return reinterpret_cast<const std::uint16_t*>(values_.data()) +
           panel * height * (columns + columns % 2);
  }
  const std::int8_t* int8(std::size_t panel) const {
    return reinterpret_cast<const std::int8_t*>(values_.data()) +
           panel * height * columns * digits_of(format);
  }
  // [block][height] of a panel
  const float* scales(std::size_t panel) const {
    return scales_.data() + panel * height * blocks();
  }
  // [block][digit][height] of a panel
  const std::int32_t* sums(std::size_t panel) const {
    return sums_.data() + panel * height * blocks() * digits_of(format);
  }
  // The same of the first 16 codes of each block.
  const std::int32_t* half_sums(std::size_t panel) const {
    return half_sums_.data() + panel * height * blocks() * digits_of(format);
  }

 private:
  void pack_row(const float* x, std::size_t panel, std::size_t r);
  void pack_codes(const float* x, std::size_t panel, std::size_t r);

  std::vector<float> zeros_;  // the rows that pad the last panel
  std::vector<std::uint32_t> values_;
  std::vector<float> scales_;
  std::vector<std::int32_t> sums_;
  std::vector<std::int32_t> half_sums_;
};

}  // namespace assay::cpu
