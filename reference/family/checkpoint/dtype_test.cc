// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/dtype.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "reference/family/base/number_formats.h"
#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

DType dtype(const char* name) {
  return *dtype_from_name(name);
}

template <class Stored>
std::vector<std::byte> unaligned_bytes(const std::vector<Stored>& values) {
  std::vector<std::byte> bytes(1 + values.size() * sizeof(Stored));
  std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(Stored));
  return bytes;
}

template <class Real, class Stored>
std::vector<Real> widened(DType type, const std::vector<Stored>& values) {
  const auto bytes = unaligned_bytes(values);
  std::vector<Real> out(values.size());
  widen(type, std::span(bytes).subspan(1), 0, values.size(), out.data());
  return out;
}

TEST(DType, NamesAndSizesAgreeWithTheFormat) {
  for (const auto& [name, bytes] : std::vector<std::pair<const char*, std::size_t>>{{"BF16", 2},
                                                                                    {"F16", 2},
                                                                                    {"F32", 4},
                                                                                    {"F64", 8},
                                                                                    {"F8_E4M3", 1},
                                                                                    {"F8_E5M2", 1},
                                                                                    {"F8_E8M0", 1},
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
    EXPECT_EQ(dtype(name).info().block_bytes, bytes);
    EXPECT_EQ(dtype(name).info().block_elements, 1U);
  }
  EXPECT_FALSE(dtype_from_name("F4"));
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
  EXPECT_EQ(widened<double>(dtype("I32"), std::vector<std::int32_t>{-5}),
            (std::vector<double>{-5}));
  EXPECT_EQ(widened<double>(dtype("I16"), std::vector<std::int16_t>{-5}),
            (std::vector<double>{-5}));
  EXPECT_EQ(widened<double>(dtype("I8"), std::vector<std::int8_t>{-5}), (std::vector<double>{-5}));
  EXPECT_EQ(widened<double>(dtype("U64"), std::vector<std::uint64_t>{5}), (std::vector<double>{5}));
  EXPECT_EQ(widened<double>(dtype("U32"), std::vector<std::uint32_t>{5}), (std::vector<double>{5}));
  EXPECT_EQ(widened<double>(dtype("U16"), std::vector<std::uint16_t>{5}), (std::vector<double>{5}));
  EXPECT_EQ(widened<float>(dtype("BOOL"), std::vector<std::uint8_t>{1, 0}),
            (std::vector<float>{1, 0}));
}

TEST(DType, NarrowIsTheWayBack) {
  const std::vector<float> values = {1.0f, -0.3f, 1e-30f, 65504.0f};
  std::vector<std::byte> bytes(values.size() * 4);
  std::vector<float> back(values.size());
  for (const DType type : {DType::kF32, DType::kBf16, DType::kF16}) {
    narrow(type, values, bytes.data());
    widen(type, bytes, 0, values.size(), back.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float expected = type == DType::kF32    ? values[i]
                             : type == DType::kBf16 ? round_to_bf16(values[i])
                                                    : float_from_f16(f16_from_float(values[i]));
      EXPECT_EQ(back[i], expected);
    }
  }
  EXPECT_EQ(error_of([&] { narrow(dtype("I8"), values, bytes.data()); }),
            "dtype: got I8, expected one of BF16, F16, F32, F64, Q8_0, Q4_0");
}

// Each row is complete, and no two share a name or a number.
TEST(DType, TheTableIsConsistent) {
  for (const DTypeInfo& row : all_dtypes()) {
    ASSERT_TRUE(row.to_float != nullptr && row.to_double != nullptr) << row.name;
    ASSERT_TRUE(row.in_safetensors || row.ggml_type >= 0) << row.name;
    ASSERT_GT(row.block_bytes, 0U) << row.name;
    ASSERT_TRUE(row.block_elements >= 1 && row.block_elements <= kMaxBlockElements) << row.name;
    for (const DTypeInfo& other : all_dtypes()) {
      const bool apart =
          row.name != other.name && (row.ggml_type < 0 || row.ggml_type != other.ggml_type);
      ASSERT_TRUE(&row == &other || apart) << row.name << " and " << other.name;
    }
  }
  EXPECT_EQ(dtype_from_ggml(30), DType::kBf16);
  EXPECT_EQ(dtype_from_ggml(0), DType::kF32);
  EXPECT_FALSE(dtype_from_ggml(~0U));  // not the types that GGUF does not have
}

// Three elements a block: a scale of 16 bits and three bytes, x[i] = scale * q[i].
template <class Real>
void widen_triples(const std::byte* bytes, std::size_t count, Real* out) {
  for (std::size_t i = 0; i < count; ++i) {
    std::int8_t q;
    std::uint16_t scale;
    std::memcpy(&scale, bytes + i / 3 * 5, sizeof scale);
    std::memcpy(&q, bytes + i / 3 * 5 + 2 + i % 3, sizeof q);
    out[i] = static_cast<Real>(scale * q);
  }
}

constexpr DTypeInfo kTriples = {.name = "TRIPLES",
                                .block_elements = 3,
                                .block_bytes = 5,
                                .to_float = widen_triples<float>,
                                .to_double = widen_triples<double>};

// Whatever block the range begins and ends in.
TEST(DType, EveryRangeOfABlockTypeIsRead) {
  std::vector<std::byte> bytes;
  std::vector<double> all;
  for (int block = 0; block < 4; ++block) {
    const auto scale = static_cast<std::uint16_t>(1 + 100 * block);
    bytes.push_back(std::byte(scale & 0xFF));
    bytes.push_back(std::byte(scale >> 8));
    for (const int q : {-1, 2, -3}) {
      bytes.push_back(std::byte(q));
      all.push_back(scale * q);
    }
  }
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (std::size_t count = 0; first + count <= all.size(); ++count) {
      std::vector<double> out(count + 1, 0.5);  // one more: nothing is written after the range
      widen(DType(kTriples), bytes, first, count, out.data());
      ASSERT_TRUE(std::equal(out.begin(), out.end() - 1, all.begin() + static_cast<long>(first)))
          << first << " " << count;
      ASSERT_EQ(out.back(), 0.5);
    }
  }
}

TEST(DType, SizesCountWholeBlocksAndNeverOverflow) {
  const auto size = [](const std::vector<std::size_t>& shape) {
    const TensorSize found = tensor_size(DType(kTriples), shape, "x: ");
    return std::pair(found.elements, found.bytes);
  };
  EXPECT_EQ(size({2, 6}), std::pair(std::size_t{12}, std::size_t{20}));
  EXPECT_EQ(size({0, 6}), std::pair(std::size_t{0}, std::size_t{0}));
  const std::size_t most = ~std::size_t{0} / 5 * 3;  // elements whose bytes just fit
  EXPECT_EQ(size({most}).second, ~std::size_t{0} / 5 * 5);
  EXPECT_EQ(error_of([&] { size({most + 3}); }), "x: shape: got [" + std::to_string(most + 3) +
                                                     "], expected a product of fewer than 2^64 "
                                                     "bytes");
  for (const std::vector<std::size_t>& cut : {std::vector<std::size_t>{6, 2}, {3, 4}, {}}) {
    EXPECT_EQ(error_of([&] { size(cut); }), "x: shape: got " + shape_string(cut) +
                                                ", expected rows of whole blocks of 3 elements, "
                                                "as TRIPLES has them");
  }
  EXPECT_EQ(tensor_size(DType::kF32, {}, "x: ").bytes, 4U);
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
