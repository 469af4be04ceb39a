// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/dtype.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "reference/family/base/number_formats.h"
#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

template <class Stored>
std::vector<std::byte> unaligned_bytes(const std::vector<Stored>& values) {
  std::vector<std::byte> bytes(1 + values.size() * sizeof(Stored));
  std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(Stored));
  return bytes;
}

template <class Real, class Stored>
std::vector<Real> widened(DType dtype, const std::vector<Stored>& values) {
  const auto bytes = unaligned_bytes(values);
  std::vector<Real> out(values.size());
  widen(dtype, bytes.data() + 1, values.size(), out.data());
  return out;
}

TEST(DType, NamesAndSizesAgreeWithTheFormat) {
  for (const auto& [name, bytes] : std::vector<std::pair<const char*, std::size_t>>{{"BF16", 2},
                                                                                    {"F16", 2},
                                                                                    {"F32", 4},
                                                                                    {"F64", 8},
                                                                                    {"I64", 8},
                                                                                    {"I32", 4},
                                                                                    {"I16", 2},
                                                                                    {"I8", 1},
                                                                                    {"U64", 8},
                                                                                    {"U32", 4},
                                                                                    {"U16", 2},
                                                                                    {"U8", 1},
                                                                                    {"BOOL", 1}}) {
    ASSERT_TRUE(dtype_from_name(name)) << name;
    EXPECT_EQ(dtype_name(*dtype_from_name(name)), name);
    EXPECT_EQ(dtype_bytes(*dtype_from_name(name)), bytes);
  }
  EXPECT_FALSE(dtype_from_name("F8_E4M3"));
  EXPECT_FALSE(dtype_from_name("bf16"));
}

TEST(DType, EveryTypeWidensUnaligned) {
  EXPECT_EQ(widened<float>(DType::kBf16, std::vector<std::uint16_t>{0x3F80, 0xC000}),
            (std::vector<float>{1, -2}));
  EXPECT_EQ(widened<double>(DType::kF16, std::vector<std::uint16_t>{0x3C00, 0x0001}),
            (std::vector<double>{1, 0x1p-24}));
  EXPECT_EQ(widened<double>(DType::kF32, std::vector<float>{0.1f}), (std::vector<double>{0.1f}));
  EXPECT_EQ(widened<float>(DType::kF64, std::vector<double>{0.1}), (std::vector<float>{0.1f}));
  EXPECT_EQ(widened<double>(DType::kI64, std::vector<std::int64_t>{-5}), (std::vector<double>{-5}));
  EXPECT_EQ(widened<double>(DType::kI32, std::vector<std::int32_t>{-5}), (std::vector<double>{-5}));
  EXPECT_EQ(widened<double>(DType::kI16, std::vector<std::int16_t>{-5}), (std::vector<double>{-5}));
  EXPECT_EQ(widened<double>(DType::kI8, std::vector<std::int8_t>{-5}), (std::vector<double>{-5}));
  EXPECT_EQ(widened<double>(DType::kU64, std::vector<std::uint64_t>{5}), (std::vector<double>{5}));
  EXPECT_EQ(widened<double>(DType::kU32, std::vector<std::uint32_t>{5}), (std::vector<double>{5}));
  EXPECT_EQ(widened<double>(DType::kU16, std::vector<std::uint16_t>{5}), (std::vector<double>{5}));
  EXPECT_EQ(widened<float>(DType::kBool, std::vector<std::uint8_t>{1, 0}),
            (std::vector<float>{1, 0}));
}

TEST(DType, NarrowIsTheWayBack) {
  const std::vector<float> values = {1.0f, -0.3f, 1e-30f, 65504.0f};
  std::vector<std::byte> bytes(values.size() * 4);
  std::vector<float> back(values.size());
  for (const DType dtype : {DType::kF32, DType::kBf16, DType::kF16}) {
    narrow(dtype, values.data(), values.size(), bytes.data());
    widen(dtype, bytes.data(), values.size(), back.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float expected = dtype == DType::kF32    ? values[i]
                             : dtype == DType::kBf16 ? round_to_bf16(values[i])
                                                     : float_from_f16(f16_from_float(values[i]));
      EXPECT_EQ(back[i], expected);
    }
  }
  EXPECT_EQ(error_of([&] { narrow(DType::kI8, values.data(), 1, bytes.data()); }),
            "dtype: got I8, expected one of BF16, F16, F32, F64");
}

template <class Real>
void check_non_finite() {
  std::vector<Real> values(37, std::numeric_limits<Real>::max());
  values[3] = std::numeric_limits<Real>::denorm_min();
  values[5] = -std::numeric_limits<Real>::max();
  EXPECT_EQ(first_non_finite(values.data(), values.size()), 37u);
  for (const Real bad :
       {std::numeric_limits<Real>::quiet_NaN(), std::numeric_limits<Real>::infinity(),
        -std::numeric_limits<Real>::infinity()}) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto copy = values;
      copy[i] = bad;
      EXPECT_EQ(first_non_finite(copy.data(), copy.size()), i);
    }
  }
}

TEST(DType, FirstNonFiniteIsFoundWhereverItIs) {
  check_non_finite<float>();
  check_non_finite<double>();
}

}  // namespace
}  // namespace assay
