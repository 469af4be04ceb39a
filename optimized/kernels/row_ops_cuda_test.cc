// SPDX-License-Identifier: Apache-2.0
// Row operations of a device in every order of execution, against their formulas in fp64.
#include "optimized/kernels/row_ops_cuda.h"

#include "optimized/testing/every_order.h"

namespace assay::cuda {
namespace {

class RowOpsCuda : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(RowOpsCuda);

constexpr double kLimit = 1e-6;
constexpr float kEps = 1e-6F;
constexpr std::size_t kRows = 5;
const std::size_t kWidths[] = {1, 31, 33, 128, 256, 257, 700};  // a warp, a block, and beside them

// Each row of x, normed.
std::vector<double> normed(const std::vector<double>& x, std::size_t columns,
                           const std::vector<float>& scale) {
  std::vector<double> y(x.size());
  for (std::size_t r = 0; r < x.size() / columns; ++r) {
    double squares = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      squares += x[r * columns + i] * x[r * columns + i];
    }
    const double factor = 1 / std::sqrt(squares / double(columns) + double(kEps));
    for (std::size_t i = 0; i < columns; ++i) {
      y[r * columns + i] = x[r * columns + i] * factor * (scale.empty() ? 1 : double(scale[i]));
    }
  }
  return y;
}

std::vector<double> wide(const std::vector<float>& x) {
  return {x.begin(), x.end()};
}

TEST_P(RowOpsCuda, RmsNorm) {
  for (const std::size_t columns : kWidths) {
    const auto x = normal_values(kRows * columns, 1);
    const auto scale = normal_values(columns, 2);
    Stream stream;
    Floats in(x), by(scale), out(x.size()), bare(x.size());
    rms_norm(stream, in.rows(kRows), by.data(), kEps, out.rows(kRows));
    rms_norm(stream, in.rows(kRows), nullptr, kEps, bare.rows(kRows));
    EXPECT_LE(noted("rms_norm", worst(out.values(), normed(wide(x), columns, scale)), kLimit),
              kLimit)
        << columns;
    EXPECT_LE(noted("rms_norm", worst(bare.values(), normed(wide(x), columns, {})), kLimit), kLimit)
        << columns;
  }
}

TEST_P(RowOpsCuda, RmsNormOfARowInPlaceAndOfRowsApart) {
  const std::size_t columns = 40;
  const auto x = normal_values(kRows * 64, 3);
  Stream stream;
  Floats in(x);
  const DeviceRows rows = in.rows(kRows).part(0, static_cast<int>(columns));
  rms_norm(stream, rows, nullptr, kEps, rows);
  const auto got = in.values();
  for (std::size_t r = 0; r < kRows; ++r) {
    const std::vector<float> row(got.begin() + static_cast<std::ptrdiff_t>(r * 64),
                                 got.begin() + static_cast<std::ptrdiff_t>(r * 64 + columns));
    const std::vector<double> from(x.begin() + static_cast<std::ptrdiff_t>(r * 64),
                                   x.begin() + static_cast<std::ptrdiff_t>(r * 64 + columns));
    EXPECT_LE(noted("rms_norm", worst(row, normed(from, columns, {})), kLimit), kLimit);
    for (std::size_t i = columns; i < 64; ++i) {
      EXPECT_EQ(got[r * 64 + i], x[r * 64 + i]);
    }
  }
}

TEST_P(RowOpsCuda, AddNormed) {
  for (const std::size_t columns : kWidths) {
    const auto x = normal_values(kRows * columns, 4);
    const auto h = normal_values(kRows * columns, 5);
    const auto scale = normal_values(columns, 6);
    const auto next_scale = normal_values(columns, 7);
    Stream stream;
    Floats in(x), sum(h), by(scale), next_by(next_scale), next(x.size()), normed_out(x.size()),
        sum_out(x.size());
    add_normed(stream,
               {in.rows(kRows), by.data(), sum.rows(kRows), 0.75F, next_by.data(), next.data(),
                normed_out.data(), sum_out.data()},
               kEps);
    const auto expected = normed(wide(x), columns, scale);
    std::vector<double> total(x.size()), scaled(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      total[i] = double(h[i]) + expected[i];
      scaled[i] = total[i] * 0.75;
    }
    EXPECT_LE(noted("add_normed", worst(normed_out.values(), expected), kLimit), kLimit) << columns;
    EXPECT_LE(noted("add_normed", worst(sum_out.values(), total), kLimit), kLimit) << columns;
    EXPECT_LE(noted("add_normed", worst(sum.values(), scaled), kLimit), kLimit) << columns;
    EXPECT_LE(
        noted("add_normed", worst(next.values(), normed(scaled, columns, next_scale)), 2 * kLimit),
        2 * kLimit)
        << columns;
  }
}

TEST_P(RowOpsCuda, NormRope) {
  for (const std::size_t half : {4, 6, 40, 256}) {
    const std::size_t heads = 3;
    const auto x = normal_values(kRows * heads * 2 * half, 8);
    const auto scale = normal_values(2 * half, 9);
    const auto angles = normal_values(kRows * half, 10);
    std::vector<float> cos(angles.size()), sin(angles.size());
    for (std::size_t i = 0; i < angles.size(); ++i) {
      cos[i] = std::cos(angles[i]);
      sin[i] = std::sin(angles[i]);
    }
    Stream stream;
    Floats in(x), by(scale), c(cos), s(sin), out(x.size());
    norm_rope(stream, in.rows(kRows), by.data(), {c.data(), s.data(), static_cast<int>(half)}, kEps,
              out.data());
    const auto expected = normed(wide(x), 2 * half, scale);
    std::vector<double> turned(x.size());
    for (std::size_t at = 0; at < x.size(); at += 2 * half) {
      const std::size_t t = at / (heads * 2 * half) * half;
      for (std::size_t i = 0; i < half; ++i) {
        const double a = expected[at + i];
        const double b = expected[at + i + half];
        turned[at + i] = a * double(cos[t + i]) - b * double(sin[t + i]);
        turned[at + i + half] = b * double(cos[t + i]) + a * double(sin[t + i]);
      }
    }
    EXPECT_LE(noted("norm_rope", worst(out.values(), expected), kLimit), kLimit) << half;
    EXPECT_LE(noted("norm_rope", worst(in.values(), turned), kLimit), kLimit) << half;
  }
}

TEST_P(RowOpsCuda, Geglu) {
  for (const std::size_t columns : kWidths) {
    const auto gate = normal_values(kRows * columns, 11);
    const auto up = normal_values(kRows * columns, 12);
    Stream stream;
    Floats g(gate), u(up), act(gate.size());
    geglu(stream, g.rows(kRows), u.rows(kRows), act.data());
    std::vector<double> expected(gate.size()), product(gate.size());
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double x = double(gate[i]);
      const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
      expected[i] = x / (1 + std::exp(-2 * inner));
      product[i] = expected[i] * double(up[i]);
    }
    EXPECT_LE(noted("geglu", worst(act.values(), expected), kLimit), kLimit) << columns;
    EXPECT_LE(noted("geglu", worst(g.values(), product), kLimit), kLimit) << columns;
  }
}

TEST_P(RowOpsCuda, SoftcapAndSum) {
  const auto x = normal_values(kRows * 300, 13);
  const auto y = normal_values(kRows * 300, 14);
  Stream stream;
  Floats capped(x), sum(y), other(x);
  softcap(stream, capped.rows(kRows), 0.5F);
  add_rows(stream, sum.rows(kRows), other.rows(kRows), -2);
  std::vector<double> expected(x.size()), total(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    expected[i] = 0.5 * std::tanh(double(x[i]) / 0.5);
    total[i] = double(y[i]) - 2 * double(x[i]);
  }
  EXPECT_LE(noted("softcap", worst(capped.values(), expected), kLimit), kLimit);
  EXPECT_LE(noted("add_rows", worst(sum.values(), total), kLimit), kLimit);
}

TEST_P(RowOpsCuda, PerLayerInputs) {
  const std::size_t layers = 3;
  for (const std::size_t width : {5, 16, 70}) {
    const auto in = normal_values(kRows * layers * width, 15);
    const auto token = normal_values(kRows * layers * width, 16);
    const auto scale = normal_values(width, 17);
    Stream stream;
    Floats rows(in), table(token), by(scale), token_out(in.size()), context(in.size());
    per_layer_inputs(stream,
                     {rows.rows(kRows), table.rows(kRows), by.data(), static_cast<int>(width),
                      0.25F, 4.0F, token_out.data(), context.data()},
                     kEps);
    std::vector<double> scaled(in.size()), embedded(in.size()), sum(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      scaled[i] = 0.25 * double(in[i]);
      embedded[i] = 4 * double(token[i]);
    }
    const auto expected = normed(scaled, width, scale);
    for (std::size_t i = 0; i < in.size(); ++i) {
      sum[i] = (expected[i] + embedded[i]) * std::sqrt(0.5);
    }
    EXPECT_LE(noted("per_layer_inputs", worst(token_out.values(), embedded), kLimit), kLimit)
        << width;
    EXPECT_LE(noted("per_layer_inputs", worst(context.values(), expected), kLimit), kLimit)
        << width;
    EXPECT_LE(noted("per_layer_inputs", worst(rows.values(), sum), kLimit), kLimit) << width;
  }
}

}  // namespace
}  // namespace assay::cuda
