// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/tensor_core.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <fstream>
#include <string>

#include "optimized/testing/every_order.h"
#include "optimized/testing/fault_kernels.h"
#include "optimized/testing/tensor_core_bound.h"
#include "reference/family/testing/source_dir.h"

namespace assay::simt {
namespace {

TEST(TensorCore, AddsAsMmaSimDoes) {
  std::ifstream file(source_dir() + "/golden/tables/tensor_core.txt");
  std::array<std::uint16_t, 16> a, b;
  int cases = 0;
  const auto next = [&] {
    std::string word;
    file >> word;
    return word.empty() ? 0 : static_cast<std::uint32_t>(std::stoul(word, nullptr, 16));
  };
  while (file >> std::ws && file.peek() != EOF) {
    for (auto* operand : {&a, &b}) {
      for (std::uint16_t& value : *operand) {
        value = static_cast<std::uint16_t>(next());
      }
    }
    const float c = std::bit_cast<float>(next());
    for (const TensorCore core : {TensorCore::kAmpere, TensorCore::kHopper}) {
      const float got = tensor_core_sum(core, a.data(), b.data(), c);
      EXPECT_EQ(std::bit_cast<std::uint32_t>(got), next())
          << "case " << cases << " of core " << static_cast<int>(core);
    }
    ++cases;
  }
  EXPECT_EQ(cases, 44);
}

TEST(TensorCore, CutsWhereAProgramWouldRound) {
  std::array<std::uint16_t, 16> a{}, b{};
  a[0] = 0x3fff;  // 2 - 2^-7, whose square has 16 bits
  b[0] = 0x3fff;
  const float c = 1.0f / 3.0f;
  const double exact = 1.9921875 * 1.9921875 + static_cast<double>(c);
  const float got = tensor_core_sum(TensorCore::kHopper, a.data(), b.data(), c);
  EXPECT_LE(static_cast<double>(got), exact);
  EXPECT_GT(static_cast<double>(got), exact - 0x1p-21);
}

TEST(TensorCore, NoNumberStaysNone) {
  std::array<std::uint16_t, 16> a{}, b{};
  a[3] = 0x7f80;  // infinity
  b[3] = 0x3f80;
  EXPECT_TRUE(std::isinf(tensor_core_sum(TensorCore::kHopper, a.data(), b.data(), 1.0f)));
  b[3] = 0;
  EXPECT_TRUE(std::isnan(tensor_core_sum(TensorCore::kAmpere, a.data(), b.data(), 1.0f)));
}

// D of one warp against a plain sum; the largest difference.
double mma_error(bool wrong_fragment) {
  const auto a = cuda::nearest_bf16(cuda::normal_values(16 * 16, 3));
  const auto b = cuda::nearest_bf16(cuda::normal_values(8 * 16, 4));
  cuda::OnDevice<std::uint16_t> a_there(a), b_there(b);
  cuda::Floats d(16 * 8);
  cuda::Stream stream;
  cuda::run_mma(stream, wrong_fragment, a_there.data(), b_there.data(), d.data());
  std::vector<double> want;
  for (std::size_t i = 0; i < 16 * 8; ++i) {
    want.push_back(cuda::tensor_core_product(&a[i / 8 * 16], &b[i % 8 * 16], 16).sum);
  }
  return cuda::worst(d.values(), want);
}

TEST(TensorCore, AWrongFragmentIndexIsCaught) {
  EXPECT_LT(mma_error(false), 1e-6);
  EXPECT_GT(mma_error(true), 1e-2);
}

}  // namespace
}  // namespace assay::simt
