// SPDX-License-Identifier: Apache-2.0
// Against the table of types: where an element is NaN or infinite, the quick look says so.
#include "optimized/packing/non_finite.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "optimized/testing/test_weights.h"

namespace assay::cpu {
namespace {

bool has_non_finite(DType stored, const std::vector<std::byte>& bytes) {
  const auto& info = stored.info();
  std::vector<float> values(bytes.size() / info.block_bytes * info.block_elements);
  info.to_float(bytes.data(), values.size(), values.data());
  return first_non_finite(values.data(), values.size()) < values.size();
}

TEST(NonFinite, EveryBf16InEveryPlace) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    std::vector<std::byte> row(2 * (5 + bits % 2), std::byte{0x3F});
    const auto half = static_cast<std::uint16_t>(bits);
    std::memcpy(row.data() + bits % (row.size() / 2) * 2, &half, 2);
    EXPECT_EQ(may_be_non_finite(DType::kBf16, row), has_non_finite(DType::kBf16, row)) << bits;
  }
}

TEST(NonFinite, EveryScaleOfEveryBlock) {
  for (const char* name : {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "Q4_K", "Q5_K", "Q6_K",
                           "MXFP4", "NVFP4"}) {
    const DType stored = dtype_named(name);
    const std::size_t bytes = stored.info().block_bytes;
    const std::size_t scale = name == std::string("Q6_K") ? 208 : 0;
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
      const auto half = static_cast<std::uint16_t>(bits);
      for (const std::size_t place : {scale, std::size_t{2}}) {
        std::vector<std::byte> row(3 * bytes, std::byte{0x11});
        std::memcpy(row.data() + bytes + place, &half, 2);
        if (has_non_finite(stored, row)) {
          ASSERT_TRUE(may_be_non_finite(stored, row)) << name << " " << bits;
        } else if (name != std::string("MXFP4")) {
          ASSERT_FALSE(may_be_non_finite(stored, row)) << name << " " << bits;
        }
      }
    }
  }
}

TEST(NonFinite, NothingIsKnownOfOtherTypes) {
  EXPECT_TRUE(may_be_non_finite(DType::kF16, std::vector<std::byte>(2)));
}

}  // namespace
}  // namespace assay::cpu
