// SPDX-License-Identifier: Apache-2.0
// Products on every instruction set, against fp64, in units of u (sum |w x| + |y|) (tolerance
// 11.1); sums of small integers exactly.
#include "optimized/kernels/matmul.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

#include "optimized/packing/k_blocks.h"
#include "optimized/testing/every_target.h"
#include "optimized/testing/test_numbers.h"
#include "optimized/testing/test_weights.h"
#include "optimized/testing/tolerance.h"
#include "reference/family/checkpoint/input_rounding.h"

namespace assay::cpu {
namespace {

class Matmul : public EveryTarget {};
ASSAY_ON_EVERY_TARGET(Matmul);

struct Kind {
  const char* stored;
  RowFormat format;
};

struct Shape {
  std::size_t rows = 0;  // of the weight
  std::size_t columns = 0;
  std::size_t x_rows = 0;
  std::size_t offset = 0;  // bytes by which the weight is misaligned
};

const char* name_of(RowFormat format) {
  switch (format) {
    case RowFormat::kF32:
      return "f32";
    case RowFormat::kF32RoundedToBf16:
      return "f32 rounded to bf16";
    case RowFormat::kBf16:
      return "bf16";
    case RowFormat::kF32RoundedToInt8K:
      return "f32 rounded to q8_K";
    case RowFormat::kInt8:
      return "int8";
    case RowFormat::kInt8K:
      return "q8_K";
    case RowFormat::kInt8Digits:
      return "three digits";
  }
  return "";
}

// Every layout with every format that the target in use multiplies it with.
std::vector<Kind> kinds() {
  std::vector<Kind> all = {{"F32", RowFormat::kF32},   {"F32", RowFormat::kF32RoundedToBf16},
                           {"BF16", RowFormat::kF32},  {"BF16", RowFormat::kF32RoundedToBf16},
                           {"Q8_0", RowFormat::kF32},  {"Q4_0", RowFormat::kF32},
                           {"Q8_0", RowFormat::kInt8}, {"Q4_0", RowFormat::kInt8}};
  if (features().avx512_bf16) {
    all.push_back({"BF16", RowFormat::kBf16});
  }
  if (features().int8_dot()) {
    all.push_back({"Q8_0", RowFormat::kInt8Digits});
    all.push_back({"Q4_0", RowFormat::kInt8Digits});
  }
  if (features().avx512_vnni) {
    for (const char* stored : {"Q4_K", "Q5_K", "Q6_K"}) {
      all.push_back({stored, RowFormat::kInt8Digits});
      all.push_back({stored, RowFormat::kInt8K});
    }
  }
  for (const char* stored : {"Q4_K", "Q5_K", "Q6_K"}) {
    all.push_back({stored, RowFormat::kF32RoundedToInt8K});
  }
  for (const char* stored :
       {"Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "MXFP4", "NVFP4", "Q4_K", "Q5_K", "Q6_K"}) {
    all.push_back({stored, RowFormat::kF32});
  }
  return all;
}

std::size_t block_of(const Kind& kind) {
  return dtype_named(kind.stored).info().block_elements;
}

// What the product is told to multiply, and the magnitudes that its error is measured by.
struct RoundedRow {
  std::vector<float> value;
  std::vector<double> magnitude;
};

RoundedRow rounded(const float* x, std::size_t columns, RowFormat format) {
  RoundedRow row{{x, x + columns}, std::vector<double>(columns)};
  if (format == RowFormat::kF32RoundedToBf16 || format == RowFormat::kBf16) {
    for (float& value : row.value) {
      value = round_to_bf16(value);
    }
  } else if (format == RowFormat::kInt8) {
    round_input(InputRounding::kBlocks32, HalfWay::kEven, row.value.data(), columns);
  } else if (format == RowFormat::kInt8K || format == RowFormat::kF32RoundedToInt8K) {
    round_input(InputRounding::kBlocks256, HalfWay::kEven, row.value.data(), columns);
  }
  for (std::size_t k = 0; k < columns; ++k) {
    row.magnitude[k] = std::abs(double(row.value[k]));
    if (format == RowFormat::kInt8Digits) {  // exact to u of the largest of 32
      for (std::size_t j = k / 32 * 32; j < k / 32 * 32 + 32; ++j) {
        row.magnitude[k] = std::max(row.magnitude[k], std::abs(double(x[j])));
      }
    }
  }
  return row;
}

double limit_of(const Kind& kind, const Shape& shape) {
  if (is_int8(kind.format)) {
    const std::size_t terms = block_of(kind) == kSuperBlock ? 2 : 1;  // of a block: codes, minima
    return strict_limit(shape.columns / 32 * terms, 1);               // exact within a block
  }
  const bool pairs = kind.stored == std::string("BF16") && kind.format != RowFormat::kBf16;
  const std::size_t sums = shape.x_rows > 1 || target() == "scalar" ? 1 : pairs ? 2 : 4;
  return strict_limit(shape.columns, sums);
}

class Trial {
 public:
  Trial(const Kind& kind, DataSet set, const Shape& shape)
      : kind_(kind),
        set_(set),
        shape_(shape),
        numbers_(seed()),
        weight_(dtype_named(kind.stored), set, numbers_, shape.rows, shape.columns, shape.offset),
        stride_(round_up(shape.rows, kTileRows) + 3),
        x_((shape.columns + 3) * shape.x_rows, 1),
        y_(stride_ * (shape.x_rows - 1) + round_up(shape.rows, kTileRows), 1) {
    const bool scaled = kind.format == RowFormat::kInt8 || kind.format == RowFormat::kInt8K ||
                        kind.format == RowFormat::kF32RoundedToInt8K;
    for (std::size_t t = 0; t < shape.x_rows; ++t) {
      const auto row = activation_row(set, numbers_, shape.columns, scaled ? 12 : 30);
      std::copy(row.begin(), row.end(), x_.data() + t * (shape.columns + 3));
    }
  }

  float* x(std::size_t t) { return x_.data() + t * (shape_.columns + 3); }
  const float* y(std::size_t t) { return y_.data() + t * stride_; }

  void run(const Threads& threads) {
    RowPanels panels;
    panels.pack({x_.data(), shape_.columns + 3, shape_.x_rows, shape_.columns}, kind_.format,
                threads);
    const Product product{&weight_.view, &panels, y_.data(), stride_};
    multiply({&product, 1}, threads);
  }

  // A K type's codes and its minima are multiplied apart: both are of the size of the largest
  // weight of their sub-block.
  std::vector<double> size_of(const std::vector<double>& w) const {
    std::vector<double> size(w.size());
    const bool apart = weight_.view.layout == WeightLayout::kK && is_int8(kind_.format);
    const std::size_t block = apart ? kBlock : 1;
    for (std::size_t k = 0; k < w.size(); ++k) {
      for (std::size_t j = k / block * block; j < k / block * block + block; ++j) {
        size[k] = std::max(size[k], std::abs(w[j]));
      }
    }
    return size;
  }

  // The largest error of all outputs in the unit above; infinite where an exact one is not.
  double worst() {
    double most = 0;
    std::vector<std::vector<double>> w;
    for (std::size_t n = 0; n < shape_.rows; ++n) {
      w.push_back(weight_.row(n));
    }
    for (std::size_t t = 0; t < shape_.x_rows; ++t) {
      const RoundedRow row = rounded(x(t), shape_.columns, kind_.format);
      for (std::size_t n = 0; n < shape_.rows; ++n) {
        most = std::max(most, error(row, w[n], double(y(t)[n])));
      }
    }
    return most;
  }

  // Beside the rows of y, and between them.
  bool stayed_inside() {
    bool inside = y_.intact();
    for (std::size_t t = 0; t + 1 < shape_.x_rows; ++t) {
      for (std::size_t n = round_up(shape_.rows, kTileRows); n < stride_; ++n) {
        inside = inside && y_.untouched(t * stride_ + n);
      }
    }
    return inside;
  }

  std::string words() const {
    return std::string(kind_.stored) + " x " + name_of(kind_.format) + ", " + name_of(set_) + ", " +
           std::to_string(shape_.rows) + " x " + std::to_string(shape_.columns) + ", " +
           std::to_string(shape_.x_rows) + " rows, seed " + std::to_string(seed());
  }

 private:
  std::uint64_t seed() const {
    return shape_.rows * 1000003 + shape_.columns * 1009 + shape_.x_rows * 31 +
           static_cast<std::uint64_t>(set_);
  }

  double error(const RoundedRow& x, const std::vector<double>& w, double y) const {
    double expected = 0;
    double sum = 0;
    const std::vector<double> size = size_of(w);
    for (std::size_t k = 0; k < w.size(); ++k) {
      expected += w[k] * double(x.value[k]);
      sum += size[k] * x.magnitude[k];
    }
    const double off = std::abs(y - expected);
    const WeightLayout layout = weight_.view.layout;
    const bool exact =
        is_exact(set_) && layout != WeightLayout::kRows && layout != WeightLayout::kK;
    if (off == 0) {
      return 0;
    }
    const double unit = kRounding * (sum + std::abs(expected));
    return exact || !(off <= 1e30) ? std::numeric_limits<double>::infinity() : off / unit;
  }

  Kind kind_;
  DataSet set_;
  Shape shape_;
  Numbers numbers_;
  TestWeight weight_;
  std::size_t stride_;
  Guarded<float> x_;
  Guarded<float> y_;
};

// Whether a kernel takes so many rows: codes meet a K type row by row.
bool is_multiplied(const Kind& kind, std::size_t x_rows) {
  return x_rows == 1 || !is_int8(kind.format) || block_of(kind) != kSuperBlock;
}

void expect_right(const Kind& kind, DataSet set, const Shape& shape) {
  if (!is_multiplied(kind, shape.x_rows)) {
    return;
  }
  const Threads one(1);
  Trial trial(kind, set, shape);
  trial.run(one);
  const double worst = trial.worst();
  const double limit = limit_of(kind, shape);
  EXPECT_LE(worst, limit) << target() << ": " << trial.words();
  note_error(shape.x_rows > 1 ? "matmul" : "matvec",
             std::string(kind.stored) + " x " + name_of(kind.format), target(), worst / limit,
             shape.rows * shape.x_rows);
  EXPECT_TRUE(trial.stayed_inside()) << target() << ": " << trial.words();
}

TEST_P(Matmul, EveryNumberOfColumns) {
  for (const Kind& kind : kinds()) {
    const std::size_t block = block_of(kind);
    std::vector<std::size_t> counts = {512, 1024, 1536, 1536 + block, 3072 + block};
    for (std::size_t k = 1; k <= (block == 1 ? 131 : 12); ++k) {
      counts.push_back(k * block);
    }
    if (block == 1) {
      counts.insert(counts.end(), {511, 513, 1023, 1025, 1087, 1535});
    }
    for (const std::size_t columns : counts) {
      for (const std::size_t x_rows : {1, 9}) {
        expect_right(kind, DataSet::kIntegers, {17, columns, x_rows});
      }
    }
  }
}

TEST_P(Matmul, EveryNumberOfRows) {
  for (const Kind& kind : kinds()) {
    const std::size_t columns = std::max<std::size_t>(64, block_of(kind));
    for (std::size_t rows = 1; rows <= 50; ++rows) {
      expect_right(kind, DataSet::kIntegers, {rows, columns, 1});
      expect_right(kind, DataSet::kIntegers, {rows, columns, 5});
    }
    for (std::size_t x_rows = 1; x_rows <= 25; ++x_rows) {
      expect_right(kind, DataSet::kIntegers, {49, columns, x_rows});
    }
  }
}

TEST_P(Matmul, EveryDataSet) {
  for (const Kind& kind : kinds()) {
    const std::size_t columns = block_of(kind) == 1 ? 769 : 768;
    for (const DataSet set : kDataSets) {
      for (const std::size_t x_rows : {1, 2, 11}) {
        expect_right(kind, set, {50, columns, x_rows});
      }
    }
  }
}

TEST_P(Matmul, LongSums) {
  for (const Kind& kind : kinds()) {
    for (const DataSet set : {DataSet::kSameSign, DataSet::kPlanted}) {
      expect_right(kind, set, {16, 5376, 1});
      expect_right(kind, set, {16, 5376, 3});
    }
  }
}

TEST_P(Matmul, WeightsAnywhereInMemory) {
  for (const Kind& kind : kinds()) {
    for (const std::size_t offset : {4, 20, 36, 62}) {
      expect_right(kind, DataSet::kIntegers, {33, round_up(96, block_of(kind)), 1, offset});
      expect_right(kind, DataSet::kIntegers, {33, round_up(96, block_of(kind)), 4, offset});
    }
  }
}

TEST_P(Matmul, BitsDoNotDependOnTheNumberOfThreads) {
  const Threads teams[] = {Threads(1), Threads(2), Threads(3), Threads(5)};
  for (const Kind& kind : kinds()) {
    for (const std::size_t x_rows : {1, 7}) {
      if (!is_multiplied(kind, x_rows)) {
        continue;
      }
      std::vector<float> first;
      for (const Threads& threads : teams) {
        Trial trial(kind, DataSet::kPlanted, {130, 256, x_rows});
        trial.run(threads);
        std::vector<float> all;
        for (std::size_t t = 0; t < x_rows; ++t) {
          all.insert(all.end(), trial.y(t), trial.y(t) + 130);
        }
        first = first.empty() ? all : first;
        EXPECT_EQ(std::memcmp(all.data(), first.data(), all.size() * sizeof(float)), 0)
            << trial.words() << ", " << threads.count() << " threads";
      }
    }
  }
}

// A row does not feel the rows beside it, so far as they are in panels.
TEST_P(Matmul, BitsDoNotDependOnTheRowsBeside) {
  const Threads one(1);
  for (const Kind& kind : kinds()) {
    if (!is_multiplied(kind, 13)) {
      continue;
    }
    Trial many(kind, DataSet::kPlanted, {48, 256, 13});
    many.run(one);
    Trial again(kind, DataSet::kPlanted, {48, 256, 13});
    for (std::size_t t = 0; t < 13; ++t) {
      if (t != 11) {
        std::copy_n(many.x(0), 256, again.x(t));
      }
    }
    again.run(one);
    EXPECT_EQ(std::memcmp(many.y(11), again.y(11), 48 * sizeof(float)), 0) << many.words();
  }
}

TEST_P(Matmul, NoNumberComesFromWhatIsNone) {
  const Threads one(1);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const Kind& kind : kinds()) {
      const std::size_t columns = round_up(96, block_of(kind));
      for (const std::size_t x_rows : {1, 6}) {
        if (!is_multiplied(kind, x_rows)) {
          continue;
        }
        Trial trial(kind, DataSet::kSameSign, {20, columns, x_rows});
        trial.x(x_rows - 1)[columns - 5] = bad;
        trial.run(one);
        for (std::size_t n = 0; n < 20; ++n) {
          EXPECT_FALSE(std::isfinite(trial.y(x_rows - 1)[n])) << trial.words() << ", " << bad;
          EXPECT_TRUE(x_rows == 1 || std::isfinite(trial.y(0)[n])) << trial.words();
        }
      }
    }
  }
}

// The scale of each block becomes f32 in the kernels, too.
TEST_P(Matmul, EveryScaleThatABlockMayHave) {
  const Threads one(1);
  for (const char* name : {"Q8_0", "Q4_0"}) {
    const DType stored = dtype_named(name);
    std::vector<std::byte> bytes;
    std::vector<float> scales;
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
      const auto half = static_cast<std::uint16_t>(bits);
      if (std::isfinite(float_from_f16(half))) {
        std::vector<std::byte> block(stored.info().block_bytes, std::byte{0});
        std::memcpy(block.data(), &half, 2);
        block[2] = std::byte{1};  // q8_0: 1; q4_0: 1 - 8
        bytes.insert(bytes.end(), block.begin(), block.end());
        scales.push_back(float_from_f16(half) * (name[1] == '8' ? 1.0F : -7.0F));
      }
    }
    WeightView view = plan_rows(stored, scales.size(), 32);
    std::vector<std::byte> packed(view.bytes());
    pack_all(view, bytes, packed.data());
    for (const RowFormat format : {RowFormat::kF32, RowFormat::kInt8}) {
      std::vector<float> x(32);
      x[0] = 127;
      RowPanels panels;
      panels.pack({x.data(), 32, 1, 32}, format, one);
      std::vector<float> y(view.tiles() * kTileRows);
      const Product product{&view, &panels, y.data(), y.size()};
      multiply({&product, 1}, one);
      for (std::size_t n = 0; n < scales.size(); ++n) {
        ASSERT_EQ(y[n], scales[n] * 127) << name << " " << name_of(format) << " row " << n;
      }
    }
  }
}

TEST_P(Matmul, FormatsAreThoseThatTheTargetMultiplies) {
  const auto known = kinds();
  for (const auto& [stored, layout] : {std::pair{"F32", WeightLayout::kF32},
                                       {"BF16", WeightLayout::kBf16},
                                       {"Q8_0", WeightLayout::kQ8},
                                       {"Q4_0", WeightLayout::kQ4},
                                       {"Q6_K", WeightLayout::kK},
                                       {"Q5_0", WeightLayout::kRows}}) {
    for (const Arithmetic how : {Arithmetic::kF32, Arithmetic::kBf16, Arithmetic::kInt8}) {
      for (const std::size_t rows : {1, 2, 100}) {
        const RowFormat format = row_format(layout, how, rows);
        EXPECT_TRUE(std::ranges::any_of(known,
                                        [&](const Kind& kind) {
                                          return kind.stored == std::string(stored) &&
                                                 kind.format == format;
                                        }))
            << stored << " x " << name_of(format);
      }
    }
  }
}

}  // namespace
}  // namespace assay::cpu
