// SPDX-License-Identifier: Apache-2.0
// golden/tables/ggml_blocks.json: what the gguf package makes of every scale of every format, and
// of rows to be stored (scripts/golden/make_ggml_block_vectors.py).
#include "reference/family/checkpoint/ggml_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "reference/family/base/json_object.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/dtype.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_signals.h"

namespace assay {
namespace {

using testing::Each;
using testing::ElementsAreArray;

const DTypeInfo& row_of(std::string_view name) {
  for (const DTypeInfo& row : all_dtypes()) {
    if (row.name == name) {
      return row;
    }
  }
  throw Error(std::string(name) + ": got nothing, expected a row");
}

Json table(const char* part) {
  const Json all = parse_json_file(source_dir() + "/golden/tables/ggml_blocks.json",
                                   "ggml_blocks.json", 1 << 20);
  return all.at(part);
}

// A block by its bytes.
template <class Real = double>
std::vector<Real> widened(const DTypeInfo& row, const std::vector<std::uint8_t>& bytes) {
  std::vector<Real> out(bytes.size() / row.block_bytes * row.block_elements);
  widen(DType(row), std::as_bytes(std::span(bytes)), 0, out.size(), out.data());
  return out;
}

std::vector<std::uint8_t> fp16(float value) {
  const std::uint16_t bits = f16_from_float(value);
  return {static_cast<std::uint8_t>(bits & 255), static_cast<std::uint8_t>(bits >> 8)};
}

std::vector<std::uint8_t> operator+(std::vector<std::uint8_t> a,
                                    const std::vector<std::uint8_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// P59: element 1 comes from the low half of byte 1, element 16 from the high half of byte 0.
TEST(GgmlBlocks, TheHalvesOfABlockOf32AreNotInterleaved) {
  std::vector<std::uint8_t> qs;
  std::vector<double> q;
  for (int j = 0; j < 16; ++j) {
    qs.push_back(static_cast<std::uint8_t>(j | (15 - j) << 4));
  }
  for (int j = 0; j < 32; ++j) {
    q.push_back(j < 16 ? j : 31 - j);
  }
  const auto expect = [&](const char* name, const std::vector<std::uint8_t>& head, auto element) {
    std::vector<double> expected;
    for (const double value : q) {
      expected.push_back(element(static_cast<int>(value)));
    }
    EXPECT_EQ(widened(row_of(name), head + qs), expected) << name;
  };
  expect("Q4_0", fp16(0.5), [](int value) { return 0.5 * (value - 8); });
  expect("Q4_1", fp16(0.5) + fp16(-3), [](int value) { return 0.5 * value - 3; });
  expect("IQ4_NL", fp16(2), [](int value) {
    constexpr int kCodes[] = {-127, -104, -83, -65, -49, -35, -22, -10,
                              1,    13,   25,  38,  53,  69,  89,  113};
    return 2.0 * kCodes[value];
  });
  expect("MXFP4", {128}, [](int value) {
    constexpr double kE2m1[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
    return 2 * (value < 8 ? kE2m1[value] : -kE2m1[value - 8]);
  });
}

// Element j has bit j: byte 0 those of the first eight, byte 2 those of the first high halves.
TEST(GgmlBlocks, TheFifthBitsAreInTheOrderOfTheElements) {
  const std::vector<std::uint8_t> bits = {0x01, 0x80, 0x02, 0x00};
  const std::vector<std::uint8_t> qs(16, 0x21);
  auto q5_0 = widened(row_of("Q5_0"), fp16(1) + bits + qs);
  auto q5_1 = widened(row_of("Q5_1"), fp16(1) + fp16(100) + bits + qs);
  for (int j = 0; j < 32; ++j) {
    const int q = (j < 16 ? 1 : 2) + (j == 0 || j == 15 || j == 17 ? 16 : 0);
    EXPECT_EQ(q5_0[j], q - 16) << j;
    EXPECT_EQ(q5_1[j], q + 100) << j;
  }
}

TEST(GgmlBlocks, Q8HasASign) {
  std::vector<std::uint8_t> block = fp16(0.25) + std::vector<std::uint8_t>(32, 0xFF);
  block[2] = 127;
  block[33] = 128;
  auto expected = std::vector<double>(32, -0.25);
  expected.front() = 31.75;
  expected.back() = -32;
  EXPECT_EQ(widened(row_of("Q8_0"), block), expected);
}

// P60: the upper two bits of the last four scales and minima are those of the first eight bytes.
TEST(GgmlBlocks, ScalesOfQ4KHaveSixBits) {
  for (const char* name : {"Q4_K", "Q5_K"}) {
    const std::vector<std::uint8_t> bits(name == std::string("Q5_K") ? 32 : 0, 0);
    const auto values = [&](const std::vector<std::uint8_t>& scales) {
      return widened(row_of(name),
                     fp16(1) + fp16(0.5) + scales + bits + std::vector<std::uint8_t>(128, 0x11));
    };
    const auto high = values(std::vector<std::uint8_t>(12, 0xC0));
    for (int i = 0; i < 256; ++i) {  // sc = 0 and mn = 0; then sc = 48 and mn = 12 + 48
      EXPECT_EQ(high[i], i < 128 ? 0 : 48 - 0.5 * 60) << name << " " << i;
    }
    const auto each = values({1, 2, 3, 4, 5, 6, 7, 8, 0x19, 0x2A, 0x3B, 0x4C});
    for (int i = 0; i < 256; ++i) {
      const int k = i / 32;
      const int sc = k < 4 ? k + 1 : k + 5;
      const int mn = k < 4 ? k + 5 : k - 3;
      EXPECT_EQ(each[i], sc - 0.5 * mn) << name << " " << i;
    }
  }
}

// Two sub-blocks share 32 bytes, the first in the low halves.
TEST(GgmlBlocks, SubBlocksOfQ4KAndQ5KArePairs) {
  std::vector<std::uint8_t> qs;
  for (int byte = 0; byte < 128; ++byte) {
    qs.push_back(static_cast<std::uint8_t>(byte / 32 | (8 + byte % 8) << 4));
  }
  const std::vector<std::uint8_t> ones = {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1};
  const auto q4 = widened(row_of("Q4_K"), fp16(1) + fp16(1) + ones + qs);
  std::vector<std::uint8_t> qh(32, 0);
  qh[3] = 0x81;  // element 3 of sub-blocks 0 and 7
  const auto q5 = widened(row_of("Q5_K"), fp16(1) + fp16(1) + ones + qh + qs);
  for (int i = 0; i < 256; ++i) {
    const int k = i / 32;
    const int q = k % 2 == 0 ? k / 2 : 8 + i % 8;
    EXPECT_EQ(q4[i], q) << i;
    EXPECT_EQ(q5[i], q + (i == 3 || i == 7 * 32 + 3 ? 16 : 0)) << i;
  }
}

// P61: the scale is the last thing in the block; its first bytes are quants.
TEST(GgmlBlocks, TheScaleOfQ6KIsLast) {
  std::vector<std::uint8_t> ql(128, 0);
  std::vector<std::uint8_t> qh(64, 0);
  std::vector<std::uint8_t> scales(16, 1);
  ql[0] = 0x5A;           // elements 0 and 64
  ql[32] = 0xC3;          // 32 and 96
  ql[64] = 0x21;          // 128 and 192
  qh[0] = 0b11'10'01'00;  // 96, 64, 32, 0
  scales[9] = 0xFE;       // elements 144 to 159
  auto expected = std::vector<double>(256, -32 * 0.5);
  expected[0] = 0.5 * (0x0A - 32);
  expected[32] = 0.5 * (0x03 + 16 - 32);
  expected[64] = 0.5 * (0x05 + 32 - 32);
  expected[96] = 0.5 * (0x0C + 48 - 32);
  expected[128] = 0.5 * (1 - 32);
  expected[192] = 0.5 * (2 - 32);
  std::fill_n(expected.begin() + 144, 16, 32.0);
  EXPECT_EQ(widened(row_of("Q6_K"), ql + qh + scales + fp16(0.5)), expected);
}

TEST(GgmlBlocks, EachSixteenOfNvfp4HaveTheirScale) {
  std::vector<std::uint8_t> block = {0x38, 0x01, 0x7E, 0x7F};  // 1, 2^-9, 448, none
  for (int part = 0; part < 4; ++part) {
    for (int j = 0; j < 8; ++j) {
      block.push_back(j == 1 ? 0xF2 : 0x22);  // 1 everywhere but element 9, which is -6
    }
  }
  const auto values = widened(row_of("NVFP4"), block);
  const double scales[] = {1, 0x1p-9, 448, 0};
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(values[i], scales[i / 16] * (i % 16 == 9 ? -6 : 1)) << i;
  }
}

// Where a float cannot hold the exact value, the double does.
TEST(GgmlBlocks, DoubleIsExactAndFloatIsRoundedOnce) {
  const std::vector<std::uint8_t> block =
      fp16(0x1p-24f) + fp16(1024) + std::vector<std::uint8_t>(16, 0x31);
  EXPECT_EQ(widened(row_of("Q4_1"), block)[0], 1024 + 0x1p-24);
  EXPECT_EQ(widened<float>(row_of("Q4_1"), block)[0], 1024);
}

TEST(GgmlBlocks, ScalesWithoutANumberGiveNone) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<std::uint8_t> qs(16, 0x99);
  EXPECT_THAT(widened(row_of("Q4_0"), fp16(inf) + qs), Each(inf));
  EXPECT_THAT(widened(row_of("Q4_0"), std::vector<std::uint8_t>{0x01, 0x7C} + qs),
              Each(testing::IsNan()));
}

template <class Real>
std::uint64_t checksum(const std::vector<Real>& values) {
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < values.size(); ++i) {
    const std::uint64_t bits = std::isnan(values[i]) ? 1 : std::bit_cast<Bits>(values[i]);
    std::uint64_t mixed = bits * 0x9E3779B97F4A7C15u;
    mixed ^= mixed >> 32;
    sum += mixed * (2 * i + 1);
  }
  return sum;
}

std::uint64_t hexadecimal(const Json& text) {
  return std::stoull(text.get<std::string>(), nullptr, 16);
}

// Block b has scale b.
std::vector<std::uint8_t> all_scales(const DTypeInfo& row, std::size_t count) {
  const std::size_t width = count == 256 ? 1 : 2;
  const std::size_t at = row.name == "Q6_K" ? 208 : 0;
  std::vector<std::uint8_t> bytes(count * row.block_bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto seed = static_cast<std::uint32_t>(row.ggml_type);
    bytes[i] = static_cast<std::uint8_t>(hashed(seed, static_cast<std::uint32_t>(i)) >> 24);
  }
  for (std::size_t block = 0; block < count; ++block) {
    for (std::size_t byte = 0; byte < width; ++byte) {
      bytes[block * row.block_bytes + at + byte] = static_cast<std::uint8_t>(block >> 8 * byte);
    }
  }
  return bytes;
}

TEST(GgmlBlocks, EveryScaleOfEveryTypeIsWhatTheGgufPackageMakesOfIt) {
  const Json cases = table("decoded");
  std::size_t block_types = 0;
  for (const DTypeInfo& row : all_dtypes()) {
    block_types += row.block_elements > 1 ? 1 : 0;
  }
  EXPECT_EQ(cases.size(), block_types);
  for (const Json& entry : cases) {
    const DTypeInfo& row = row_of(entry.at("type").get<std::string>());
    const auto bytes = all_scales(row, entry.at("blocks").get<std::size_t>());
    const std::size_t first = entry.at("block").get<std::size_t>() * row.block_elements;
    std::vector<double> shown(row.block_elements);
    widen(DType(row), std::as_bytes(std::span(bytes)), first, shown.size(), shown.data());
    EXPECT_EQ(shown, entry.at("values").get<std::vector<double>>()) << row.name;
    EXPECT_EQ(checksum(widened<float>(row, bytes)), hexadecimal(entry.at("float"))) << row.name;
    EXPECT_EQ(checksum(widened<double>(row, bytes)), hexadecimal(entry.at("double"))) << row.name;
  }
}

// The rows of the generator.
class Rows {
 public:
  explicit Rows(const std::string& kind) {
    const std::vector<std::string> kinds = {"uniform", "small",     "ties", "zeros",
                                            "bits",    "subnormal", "huge"};
    const auto place = std::find(kinds.begin(), kinds.end(), kind) - kinds.begin();
    for (std::uint32_t i = 0; i < 1u << 16; ++i) {
      values.push_back(value(kind, i, hashed(static_cast<std::uint32_t>(1000 + place), i)));
    }
  }

  std::vector<float> values;

 private:
  static float value(const std::string& kind, std::uint32_t i, std::uint32_t h) {
    const auto block = static_cast<int>(i / 32);
    const auto integer = static_cast<double>(static_cast<int>(h >> 8) - (1 << 23));
    if (kind == "uniform") {
      return static_cast<float>(std::ldexp(integer, -23));
    }
    if (kind == "small") {
      return static_cast<float>(std::ldexp(integer, -23 - block % 32));
    }
    if (kind == "ties") {
      const float largest = block % 2 == 0 ? -8 : 127;
      return std::ldexp(i % 32 == 0 ? largest : static_cast<float>(h >> 27) / 2 - 7.5f,
                        block % 24 - 12);
    }
    if (kind == "zeros") {
      return h >> 24 == 0 ? 1.25f : (h & 1) != 0 ? -0.0f : 0.0f;
    }
    if (kind == "bits") {
      return std::bit_cast<float>((h >> 23 & 255) == 255 ? h & 0xBFFFFFFF : h);
    }
    if (kind == "subnormal") {
      return std::bit_cast<float>((h & 0x80000000) | (h & 0x7FFFFF) >> block % 24);
    }
    return std::bit_cast<float>((h & 0x877FFFFF) | 0x77000000);
  }
};

TEST(GgmlBlocks, RowsAreStoredAsTheGgufPackageStoresThem) {
  for (const Json& entry : table("stored")) {
    const std::string kind = entry.at("row").get<std::string>();
    const std::vector<float> values = Rows(kind).values;
    for (const char* name : {"Q8_0", "Q4_0", "F16", "BF16"}) {
      const DTypeInfo& row = row_of(name);
      std::vector<std::uint8_t> bytes(values.size() / row.block_elements * row.block_bytes);
      narrow(DType(row), values, std::as_writable_bytes(std::span(bytes)).data());
      EXPECT_EQ(crc32(bytes), hexadecimal(entry.at(name))) << kind << " as " << name;
    }
  }
}

// By hand: of the largest magnitude 8 and -8 the first decides, and -8 is what q = 0 means.
TEST(GgmlBlocks, TheFirstLargestElementIsStoredExactlyByQ4_0) {
  std::vector<float> values(32, 0.0f);
  values[3] = -4;
  values[20] = 4;
  std::vector<std::uint8_t> block(18);
  store_q4_0(values.data(), 32, std::as_writable_bytes(std::span(block)).data());
  std::vector<std::uint8_t> expected = fp16(0.5) + std::vector<std::uint8_t>(16, 0x88);
  expected[2 + 3] = 0x80;
  expected[2 + 4] = 0xF8;  // 8 would be 16: clipped
  EXPECT_EQ(block, expected);
}

TEST(GgmlBlocks, OtherTypesHaveTheirNames) {
  EXPECT_EQ(ggml_type_name(10), "Q2_K");
  EXPECT_EQ(ggml_type_name(23), "IQ4_XS");
  EXPECT_EQ(ggml_type_name(99), "99");
  for (const DTypeInfo& row : all_dtypes()) {
    if (row.ggml_type >= 0) {
      EXPECT_EQ(ggml_type_name(static_cast<std::uint32_t>(row.ggml_type)), row.name);
    }
  }
}

}  // namespace
}  // namespace assay
