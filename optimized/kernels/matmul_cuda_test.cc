// SPDX-License-Identifier: Apache-2.0
// Products of a device in every order of execution, against fp64: every format, edges of tiles, one
// row and many, rows of experts, rows of the table of tokens.
#include "optimized/kernels/matmul_cuda.h"

#include <cstring>

#include "optimized/testing/every_order.h"
#include "reference/family/base/number_formats.h"

namespace assay::cuda {
namespace {

class MatmulCuda : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(MatmulCuda);

constexpr const char* kTypes[] = {"F32 x f32", "BF16 x f32", "Q8_0 x f32", "Q4_0 x f32"};
const char* type_of(WeightFormat format) {
  return kTypes[static_cast<int>(format)];
}

constexpr WeightFormat kFormats[] = {WeightFormat::kF32, WeightFormat::kBf16, WeightFormat::kQ8,
                                     WeightFormat::kQ4};

// A weight of random codes, on the device and as what it stands for.
struct TestWeight {
  TestWeight(WeightFormat format, std::size_t slices, std::size_t rows, std::size_t columns,
             std::uint64_t seed)
      : codes(weight_code_bytes(format, slices * rows, columns)),
        scales(std::max<std::size_t>(1, weight_scales(format, slices * rows, columns))) {
    cpu::Numbers numbers(seed);
    const std::size_t count = slices * rows * columns;
    std::vector<unsigned char> bytes(codes.values().size());
    std::vector<std::uint16_t> halves(scales.values().size());
    for (std::uint16_t& half : halves) {
      half = static_cast<std::uint16_t>(0x2800 + numbers.integer(0, 0x7ff));  // 2^-5 to 2^-3
    }
    for (std::size_t i = 0; i < count; ++i) {
      values.push_back(put(format, i, numbers, bytes, halves));
    }
    Stream stream;
    stream.upload(codes.data(), bytes.data(), bytes.size());
    stream.upload(scales.data(), halves.data(), halves.size() * 2);
    stream.synchronize();
    weight = {format, static_cast<int>(rows), static_cast<int>(columns), codes.data(),
              scales.data()};
  }

  static double put(WeightFormat format, std::size_t i, cpu::Numbers& numbers,
                    std::vector<unsigned char>& bytes, const std::vector<std::uint16_t>& halves) {
    const float value = numbers.normal();
    if (format == WeightFormat::kF32) {
      std::memcpy(bytes.data() + 4 * i, &value, 4);
      return double(value);
    }
    if (format == WeightFormat::kBf16) {
      const auto bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
      std::memcpy(bytes.data() + 2 * i, &bits, 2);
      return double(float_from_bf16(bits));
    }
    const double scale = double(float_from_f16(halves[i / 32]));
    if (format == WeightFormat::kQ8) {
      const int code = numbers.integer(-128, 127);
      bytes[i] = static_cast<unsigned char>(code & 255);
      return scale * code;
    }
    const int code = numbers.integer(0, 15);
    unsigned char& pair = bytes[i / 32 * 16 + i % 16];
    pair = static_cast<unsigned char>(i % 32 < 16 ? (pair & 240) | code : (pair & 15) | code << 4);
    return scale * (code - 8);
  }

  OnDevice<unsigned char> codes;
  OnDevice<std::uint16_t> scales;
  std::vector<double> values;
  DeviceWeight weight;
};

float rounded(float x) {
  auto bits = std::bit_cast<std::uint32_t>(x);
  bits += 0x7fffU + (bits >> 16 & 1U);
  return std::bit_cast<float>(bits & 0xffff0000U);
}

// Row `row` of slice `slice` times x, and the unit that errors are told in.
struct Product {
  double sum = 0;
  double unit = 0;
};
Product product(const TestWeight& w, std::size_t slice, std::size_t row, const float* x,
                bool round) {
  const auto columns = static_cast<std::size_t>(w.weight.columns);
  const double* values =
      w.values.data() + (slice * static_cast<std::size_t>(w.weight.rows) + row) * columns;
  Product y;
  for (std::size_t k = 0; k < columns; ++k) {
    const double term = values[k] * double(round ? rounded(x[k]) : x[k]);
    y.sum += term;
    y.unit += std::abs(term);
  }
  y.unit = cpu::kRounding * (y.unit + std::abs(y.sum));
  return y;
}

TEST_P(MatmulCuda, EveryFormat) {
  for (const WeightFormat format : kFormats) {
    for (const std::size_t columns : {32, 96}) {
      for (const std::size_t rows : {1, 7, 33, 70}) {
        for (const std::size_t tokens : {1, 2, 33}) {
          for (const bool round : {false, true}) {
            const TestWeight w(format, 1, rows, columns, rows + columns);
            const auto x = normal_values(tokens * columns, tokens);
            Stream stream;
            Floats in(x), out(tokens * rows);
            matmul(stream, w.weight, in.rows(tokens), round, out.rows(tokens));
            const auto y = out.values();
            const double limit = cpu::strict_limit(columns, 1);
            for (std::size_t i = 0; i < y.size(); ++i) {
              const auto want = product(w, 0, i % rows, x.data() + i / rows * columns, round);
              const double off = std::abs(double(y[i]) - want.sum), most = limit * want.unit;
              ASSERT_LE(noted(tokens == 1 ? "matvec" : "matmul", off, most, type_of(format)), most)
                  << static_cast<int>(format) << " " << columns << " " << rows << " " << tokens;
            }
          }
        }
      }
    }
  }
}

TEST_P(MatmulCuda, WidthsThatAreNoMultipleOfAnything) {
  for (const std::size_t columns : {1, 15, 17, 45}) {
    for (const std::size_t tokens : {1, 3}) {
      const TestWeight w(WeightFormat::kBf16, 1, 35, columns, columns);
      const auto x = normal_values(tokens * columns, 4);
      Stream stream;
      Floats in(x), out(tokens * 35);
      matmul(stream, w.weight, in.rows(tokens), false, out.rows(tokens));
      const auto y = out.values();
      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto want = product(w, 0, i % 35, x.data() + i / 35 * columns, false);
        ASSERT_LE(std::abs(double(y[i]) - want.sum), 10 * want.unit) << columns << " at " << i;
      }
    }
  }
}

// Several words of a lane, and a lane without its last; and the same bytes at an odd place.
TEST_P(MatmulCuda, OneRowByWordsAndByElements) {
  const std::size_t columns = 1056 + 32, rows = 6;
  for (const WeightFormat format : kFormats) {
    const TestWeight w(format, 1, rows, columns, 31);
    auto x = normal_values(columns + 1, 32);
    Stream stream;
    Floats in(x), out(rows);
    for (const std::size_t from : {0, 1}) {
      matmul(stream, w.weight, device_rows(in.data() + from, 1, columns), true, out.rows(1));
      const auto y = out.values();
      for (std::size_t n = 0; n < rows; ++n) {
        const auto want = product(w, 0, n, x.data() + from, true);
        ASSERT_LE(std::abs(double(y[n]) - want.sum), cpu::strict_limit(columns, 1) * want.unit)
            << static_cast<int>(format) << " " << from;
      }
    }
  }
}

TEST_P(MatmulCuda, ANanInARowStaysInItsRow) {
  const TestWeight w(WeightFormat::kQ8, 1, 40, 64, 1);
  for (const std::size_t tokens : {1, 5}) {
    auto x = normal_values(tokens * 64, 5);
    x[63] = NAN;
    Stream stream;
    Floats in(x), out(tokens * 40);
    matmul(stream, w.weight, in.rows(tokens), false, out.rows(tokens));
    const auto y = out.values();
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(std::isnan(y[i]), i < 40) << i;
    }
  }
}

// 6 tokens, 3 choices of 5 experts each; one expert has none.
TEST_P(MatmulCuda, RowsOfExperts) {
  const std::size_t tokens = 6, slots = 3, experts = 5, columns = 64, rows = 37;
  std::vector<int> expert, first = {0}, sorted;
  for (std::size_t c = 0; c < tokens * slots; ++c) {
    const int choices[] = {0, 2, 4, 1};
    expert.push_back(choices[(c * 7 + c / 3) % 4]);
  }
  for (int e = 0; e < static_cast<int>(experts); ++e) {
    for (std::size_t c = 0; c < expert.size(); ++c) {
      if (expert[c] == e) {
        sorted.push_back(static_cast<int>(c));
      }
    }
    first.push_back(static_cast<int>(sorted.size()));
  }
  Ints first_on(first), sorted_on(sorted), expert_on(expert);
  for (const WeightFormat format : kFormats) {
    const TestWeight w(format, experts, rows, columns, 9);
    for (const bool gather : {true, false}) {
      for (const bool by_choice : {true, false}) {
        const auto x = normal_values((gather ? tokens : expert.size()) * columns, 10);
        Stream stream;
        Floats in(x), out(expert.size() * rows);
        expert_matmul(stream, w.weight,
                      {static_cast<int>(experts), static_cast<int>(slots),
                       static_cast<int>(expert.size()), static_cast<int>(tokens), first_on.data(),
                       sorted_on.data(), expert_on.data(), by_choice},
                      gather, in.rows(gather ? tokens : expert.size()), false,
                      out.rows(expert.size()));
        const auto y = out.values();
        for (std::size_t i = 0; i < y.size(); ++i) {
          const std::size_t place = i / rows;
          const auto choice = by_choice ? place : static_cast<std::size_t>(sorted[place]);
          const std::size_t row = gather ? choice / slots : place;
          const auto want = product(w, static_cast<std::size_t>(expert[choice]), i % rows,
                                    x.data() + row * columns, false);
          const double off = std::abs(double(y[i]) - want.sum), most = 12 * want.unit;
          ASSERT_LE(noted("expert_matmul", off, most, type_of(format)), most)
              << gather << by_choice;
        }
      }
    }
  }
}

TEST_P(MatmulCuda, RowsOfTheTableOfTokens) {
  const std::size_t columns = 96;
  const auto soft = normal_values(4 * columns, 12);
  Ints ids(std::vector<int>{3, 0, 7, 7}), is_soft(std::vector<int>{0, 1, 0, 0});
  for (const WeightFormat format : kFormats) {
    const TestWeight w(format, 1, 8, columns, 11);
    Stream stream;
    Floats replaced(soft), h(4 * columns), row(4 * columns), scaled(4 * columns);
    embed(stream,
          {w.weight, ids.data(), is_soft.data(), replaced.data(), 6, row.data(), scaled.data()},
          h.rows(4));
    const auto got = h.values(), rows = row.values(), by = scaled.values();
    const std::size_t expected[] = {3, 0, 7, 7};
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto value =
          static_cast<float>(w.values[expected[i / columns] * columns + i % columns]);
      EXPECT_EQ(rows[i], value);
      EXPECT_EQ(by[i], 6 * value);
      EXPECT_EQ(got[i], i / columns == 1 ? soft[i] : 6 * value);
    }
  }
}

}  // namespace
}  // namespace assay::cuda
