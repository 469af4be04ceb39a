// SPDX-License-Identifier: Apache-2.0
// Packed weights give back what the table of types reads from the file's bytes, bit by bit.
#include "optimized/packing/packed_weight.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "optimized/testing/test_weights.h"

namespace assay::cpu {
namespace {

constexpr const char* kTypes[] = {"F32",    "BF16",  "Q8_0",  "Q4_0", "Q4_1", "Q5_0", "Q5_1",
                                  "IQ4_NL", "MXFP4", "NVFP4", "Q4_K", "Q5_K", "Q6_K"};

void expect_same(const WeightView& view, DType stored, std::span<const std::byte> bytes) {
  const auto& info = stored.info();
  const std::size_t row_bytes = view.columns / info.block_elements * info.block_bytes;
  std::vector<float> expected(view.columns);
  std::vector<float> got(view.columns);
  for (std::size_t n = 0; n < view.rows; ++n) {
    info.to_float(bytes.data() + n * row_bytes, view.columns, expected.data());
    unpack_row(view, n, got.data());
    for (std::size_t k = 0; k < view.columns; ++k) {
      const bool same =
          std::isnan(expected[k])
              ? std::isnan(got[k])
              : std::bit_cast<std::uint32_t>(got[k]) == std::bit_cast<std::uint32_t>(expected[k]) ||
                    (got[k] == 0 && expected[k] == 0);
      ASSERT_TRUE(same) << info.name << " row " << n << " column " << k << ": got " << got[k]
                        << ", expected " << expected[k];
    }
  }
}

TEST(PackedWeight, GivesBackEveryRowOfEveryType) {
  for (const char* name : kTypes) {
    const DType stored = dtype_named(name);
    const std::size_t block = stored.info().block_elements;
    for (std::size_t rows = 1; rows <= 50; ++rows) {
      const std::size_t columns = block == 1 ? rows + 12 : (1 + rows % 3) * block;
      Numbers numbers(rows);
      const TestWeight weight(stored, DataSet::kPlanted, numbers, rows, columns);
      std::vector<float> got(columns);
      for (std::size_t n = 0; n < rows; ++n) {
        unpack_row(weight.view, n, got.data());
        const auto expected = weight.row(n);
        for (std::size_t k = 0; k < columns; ++k) {
          ASSERT_EQ(got[k], static_cast<float>(expected[k])) << name << " " << n << " " << k;
        }
      }
    }
  }
}

// One row for each of the 2^16 scales, all codes in it.
TEST(PackedWeight, EveryScaleAndEveryCode) {
  for (const char* name : {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q4_K", "Q5_K", "Q6_K"}) {
    const DType stored = dtype_named(name);
    const auto& info = stored.info();
    const std::size_t scale_at = name[1] == '6' ? 208 : 0;  // q6_K
    std::vector<std::byte> bytes(65536 * info.block_bytes);
    for (std::size_t row = 0; row < 65536; ++row) {
      std::byte* const block = bytes.data() + row * info.block_bytes;
      for (std::size_t i = 0; i < info.block_bytes; ++i) {
        block[i] = static_cast<std::byte>((row * 37 + i * 11) & 255);
      }
      const auto half = static_cast<std::uint16_t>(row);
      std::memcpy(block + scale_at, &half, 2);
    }
    WeightView view = plan_rows(stored, 65536, info.block_elements);
    std::vector<std::byte> packed(view.bytes());
    pack_all(view, bytes, packed.data());
    expect_same(view, stored, bytes);
  }
}

TEST(PackedWeight, EveryBf16) {
  std::vector<std::byte> bytes(65536 * 2);
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    std::memcpy(bytes.data() + 2 * bits, &half, 2);
  }
  WeightView view = plan_rows(DType::kBf16, 64, 1024);
  std::vector<std::byte> packed(view.bytes());
  pack_all(view, bytes, packed.data());
  expect_same(view, DType::kBf16, bytes);
}

TEST(PackedWeight, TakesAsManyBytesAsTheFile) {
  EXPECT_EQ(plan_rows(dtype_named("Q8_0"), 16, 64).bytes(), 16 * 2 * 34);
  EXPECT_EQ(plan_rows(dtype_named("Q4_0"), 16, 64).bytes(), 16 * 2 * 18);
  EXPECT_EQ(plan_rows(dtype_named("Q6_K"), 16, 512).bytes(), 16 * 2 * 210);
  EXPECT_EQ(plan_rows(dtype_named("Q4_K"), 16, 512).bytes(),
            16 * 2 * (144 + 4));  // bytes of scales
  EXPECT_EQ(plan_rows(dtype_named("Q5_K"), 16, 512).bytes(), 16 * 2 * (176 + 4));
  EXPECT_EQ(plan_rows(dtype_named("Q5_0"), 16, 512).bytes(), 16 * 16 * 22);
  EXPECT_EQ(plan_rows(DType::kBf16, 16, 64).bytes(), 16 * 64 * 2);
  EXPECT_EQ(plan_rows(DType::kBf16, 17, 65).bytes(), 2 * 16 * 66 * 2);
  EXPECT_EQ(plan_rows(DType::kF32, 16, 64).bytes(), 16 * 64 * 4);
}

}  // namespace
}  // namespace assay::cpu
