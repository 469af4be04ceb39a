// SPDX-License-Identifier: Apache-2.0
// Products by tensor cores in every order of execution, against fp64, in units of a computed bound:
// every edge of a tile, tails of the depth, rows of experts.
#include "optimized/kernels/gemm_cuda.h"

#include <stdexcept>

#include "optimized/testing/every_order.h"
#include "optimized/testing/tensor_core_bound.h"

namespace assay::cuda {
namespace {

class GemmCuda : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(GemmCuda);

using Function = void (*)(Stream&, const Gemm&);
using Halves = OnDevice<std::uint16_t>;

struct Sizes {
  std::size_t rows, columns, depth;
};

std::vector<std::uint16_t> random_bf16(std::size_t count, std::uint64_t seed) {
  return nearest_bf16(normal_values(count, seed));
}

// The worst error in units of the bound; slice[t]: which slice of w row t meets, -1 for none.
double worst_of(Function function, const Sizes& sizes, const std::vector<int>& slice = {},
                const Gemm& extra = {}) {
  const std::size_t slices = static_cast<std::size_t>(std::max(1, extra.experts));
  const auto x = random_bf16(sizes.rows * sizes.depth, 1);
  const auto w = random_bf16(slices * sizes.columns * sizes.depth, 2);
  Halves x_there(x), w_there(w);
  Floats y(sizes.rows * sizes.columns);
  Gemm call = extra;
  call.rows = static_cast<int>(sizes.rows);
  call.columns = static_cast<int>(sizes.columns);
  call.depth = static_cast<int>(sizes.depth);
  call.x = x_there.data();
  call.w = w_there.data();
  call.y = y.data();
  Stream stream;
  function(stream, call);
  const auto got = y.values();
  double worst = 0;
  for (std::size_t t = 0; t < sizes.rows; ++t) {
    const auto s = static_cast<std::size_t>(slice.empty() ? 0 : slice[t]);
    for (std::size_t n = 0; n < sizes.columns; ++n) {
      const ExactSum exact =
          tensor_core_product(x.data() + t * sizes.depth,
                              w.data() + (s * sizes.columns + n) * sizes.depth, sizes.depth);
      const double off = std::abs(static_cast<double>(got[t * sizes.columns + n]) - exact.sum);
      worst = std::isnan(off) ? INFINITY : std::max(worst, off / exact.bound);
    }
  }
  return worst;
}

double worst_of_experts(Function function, const std::vector<int>& counts, std::size_t columns,
                        std::size_t depth) {
  std::vector<int> first{0}, slice;
  for (std::size_t e = 0; e < counts.size(); ++e) {
    first.push_back(first.back() + counts[e]);
    slice.insert(slice.end(), static_cast<std::size_t>(counts[e]), static_cast<int>(e));
  }
  Ints there(first);
  Gemm call;
  call.experts = static_cast<int>(counts.size());
  call.first = there.data();
  call.most = std::max(1, *std::max_element(counts.begin(), counts.end()));
  return worst_of(function, {slice.size(), columns, depth}, slice, call);
}

TEST_P(GemmCuda, MmaIsWithinTheBound) {
  for (const Sizes& sizes : {Sizes{1, 1, 8}, Sizes{33, 65, 40}, Sizes{32, 64, 32}, Sizes{7, 70, 96},
                             Sizes{65, 130, 72}, Sizes{130, 129, 64}}) {
    EXPECT_LE(noted("gemm_mma", worst_of(gemm_mma, sizes), 1, "bf16 x bf16"), 1.0)
        << sizes.rows << " " << sizes.columns;
  }
}

TEST_P(GemmCuda, MmaOfExperts) {
  EXPECT_LE(noted("gemm_mma", worst_of_experts(gemm_mma, {3, 0, 34, 1}, 40, 48), 1, "bf16 x bf16"),
            1.0);
  EXPECT_LE(noted("gemm_mma", worst_of_experts(gemm_mma, {0, 70, 66}, 20, 24), 1, "bf16 x bf16"),
            1.0);
}

TEST_P(GemmCuda, WgmmaIsWithinTheBound) {
  for (const Sizes& sizes :
       {Sizes{1, 1, 8}, Sizes{128, 128, 64}, Sizes{70, 130, 72}, Sizes{130, 20, 328}}) {
    EXPECT_LE(noted("gemm_wgmma", worst_of(gemm_wgmma, sizes), 1, "bf16 x bf16"), 1.0)
        << sizes.rows << " " << sizes.columns;
  }
}

TEST_P(GemmCuda, WgmmaOfExperts) {
  EXPECT_LE(
      noted("gemm_wgmma", worst_of_experts(gemm_wgmma, {3, 0, 34, 1}, 40, 48), 1, "bf16 x bf16"),
      1.0);
  EXPECT_LE(
      noted("gemm_wgmma", worst_of_experts(gemm_wgmma, {0, 130, 66}, 20, 72), 1, "bf16 x bf16"),
      1.0);
}

TEST_P(GemmCuda, CutsTowardZero) {
  // Rounding would end on either side of the exact sum of positive products; 64 cuts end below.
  const std::size_t depth = 512;
  std::vector<float> positive = normal_values(2 * depth, 5);
  for (float& f : positive) {
    f = std::abs(f);
  }
  const auto all = nearest_bf16(positive);
  const std::vector<std::uint16_t> x(all.begin(), all.begin() + depth),
      w(all.begin() + depth, all.end());
  const ExactSum exact = tensor_core_product(x.data(), w.data(), depth);
  Halves x_there(x), w_there(w);
  Floats y(1);
  Gemm call;
  call.rows = call.columns = 1;
  call.depth = static_cast<int>(depth);
  call.x = x_there.data();
  call.w = w_there.data();
  call.y = y.data();
  Stream stream;
  gemm_mma(stream, call);
  const auto got = static_cast<double>(y.values()[0]);
  EXPECT_LT(got, exact.sum - exact.bound / 16);
  EXPECT_GE(got, exact.sum - exact.bound);
}

TEST(Gemm, RefusesWhatItCannotTake) {
  Stream stream;
  Gemm call;
  call.rows = call.columns = 1;
  call.depth = 12;
  EXPECT_THROW(gemm_mma(stream, call), std::invalid_argument);
  call.depth = 16;
  call.x = reinterpret_cast<const std::uint16_t*>(std::uintptr_t{8});
  EXPECT_THROW(gemm_mma(stream, call), std::invalid_argument);
}

TEST(Gemm, RoundsToTheNearest) {
  Floats x(std::vector<float>{1.0f, 1.00390625f, 1.01171875f, -3.3895314e38f});
  Halves y(4);
  Stream stream;
  round_to_bf16(stream, {x.rows(1), 1, 4, y.data()});
  EXPECT_EQ(y.values(), (std::vector<std::uint16_t>{0x3f80, 0x3f80, 0x3f82, 0xff7f}));
}

TEST(Gemm, RoundsRowsOfChoicesAndPadsThem) {
  Floats x(std::vector<float>{1, 2, 3, -1, -2, -3});
  Ints sorted(std::vector<int>{3, 0, 2});  // of tokens 1, 0, 1
  Halves y(12);
  Stream stream;
  round_to_bf16(stream, {x.rows(2), 3, 4, y.data(), sorted.data(), 2});
  EXPECT_EQ(y.values(), (std::vector<std::uint16_t>{0xbf80, 0xc000, 0xc040, 0, 0x3f80, 0x4000,
                                                    0x4040, 0, 0xbf80, 0xc000, 0xc040, 0}));
}

}  // namespace
}  // namespace assay::cuda
