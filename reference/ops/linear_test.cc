// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/linear.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// R-02 in fp64, one product after the other.
std::vector<double> triple_loop(const Tensor<R, I>& x, const Tensor<O, I>& weight) {
  std::vector<double> y;
  for (std::size_t r = 0; r < x.shape()[0]; ++r) {
    for (std::size_t o = 0; o < weight.shape()[0]; ++o) {
      double sum = 0;
      for (std::size_t i = 0; i < x.shape()[1]; ++i) {
        sum += static_cast<double>(weight(o, i)) * static_cast<double>(x(r, i));
      }
      y.push_back(sum);
    }
  }
  return y;
}

TEST(Linear, ByHand) {
  const auto x = tensor_of<R, I>({2, 2}, {1, 2, 3, 4});
  const auto weight = tensor_of<O, I>({3, 2}, {1, 0, 0, 1, 10, -1});
  EXPECT_EQ(values_of(linear(x, weight)), std::vector<double>({1, 2, 8, 3, 4, 26}));
}

// The contract of linear.h: OpenBLAS against the plain loop. The bound is n * eps * sum |w x|.
TEST(Linear, IsThePlainTripleLoop) {
  const double eps = bound_of(0x1p-23, 0x1p-52);
  std::uint32_t seed = 1;
  for (const std::size_t rows : {1u, 2u, 3u, 17u}) {
    for (const std::size_t inputs : {1u, 2u, 31u, 64u, 257u}) {
      for (const std::size_t outputs : {1u, 3u, 40u, 65u}) {
        const auto x = random_tensor<R, I>({rows, inputs}, seed++);
        const auto weight = random_tensor<O, I>({outputs, inputs}, seed++);
        const auto n = static_cast<double>(inputs);
        expect_near(values_of(linear(x, weight)), triple_loop(x, weight), n * n * eps);
      }
    }
  }
}

TEST(Linear, NothingInNothingOut) {
  const auto weight = make_tensor<O, I>({3, 2});
  EXPECT_EQ(linear(make_tensor<R, I>({0, 2}), weight).shape()[1], 3u);
  const auto none = linear(make_tensor<R, I>({2, 2}), make_tensor<O, I>({0, 2}));
  EXPECT_EQ(none.shape()[0], 2u);
  EXPECT_EQ(none.shape()[1], 0u);
}

TEST(Linear, RefusesAWeightOfAnotherWidth) {
  const auto x = make_tensor<R, I>({2, 4});
  EXPECT_EQ(error_of([&] {
              linear(x, make_tensor<O, I>({4, 3}));
            }),
            "linear: weight: got shape [4, 3], expected [4, 4]");
}

TEST(LinearHeads, RefusesOutputsThatAreNoHeads) {
  const auto x = make_tensor<T, D>({2, 4});
  EXPECT_EQ(error_of([&] {
              linear_heads(x, make_tensor<O, I>({6, 4}), 4);
            }),
            "linear_heads: got 6 outputs, expected a multiple of 4 heads");
  EXPECT_THROW(linear_heads(x, make_tensor<O, I>({6, 4}), 0), Error);
}

// A square weight hides the mistake from the shapes.
TEST(linear, weight_transposed) {
  for (const std::size_t rows : {1u, 3u}) {
    const auto x = random_tensor<R, I>({rows, 8}, 1);
    const auto weight = random_tensor<O, I>({8, 8}, 2);
    auto transposed = weight;
    for (std::size_t o = 0; o < 8; ++o) {
      for (std::size_t i = 0; i < 8; ++i) {
        transposed(o, i) = weight(i, o);
      }
    }
    expect_avoided(values_of(linear(x, weight)), triple_loop(x, weight), triple_loop(x, transposed),
                   bound_of(1e-5, 1e-13));
  }
}

// M-134: outputs are head-major, [heads, head_dim].
TEST(linear_heads, dim_major) {
  const auto x = tensor_of<T, D>({1, 1}, {1});
  const auto weight = tensor_of<O, I>({6, 1}, {0, 1, 2, 3, 4, 5});
  const auto heads = linear_heads(x, weight, 2);
  EXPECT_EQ(heads.shape()[2], 3u);
  EXPECT_EQ(heads(0, 0, 1), 1);
  EXPECT_EQ(heads(0, 1, 0), 3);
}

// The input in 8 bits a block, as ggml's kernels round it for stored blocks: 127 steps of 1/4.
TEST(Linear, RoundsItsInputAsTheStorageTypeAsks) {
  std::vector<double> row(32, 0);
  row[0] = 31.75;
  row[1] = 0.3;
  const auto x = tensor_of<R, I>({1, 32}, row);
  auto weight = make_tensor<O, I>({1, 32});
  weight(0, 1) = 1;
  ActivationScales scales;
  scales.stored = InputRounding::kBlocks32;
  EXPECT_EQ(values_of(linear(x, weight, scales)), std::vector<double>{0.25});
  scales.stored = InputRounding::kBf16;
  EXPECT_EQ(values_of(linear(x, weight, scales)), std::vector<double>{0.30078125});
  EXPECT_EQ(values_of(linear(x, weight, {})), values_of(linear(x, weight)));
}

// 32 times 127 steps of d = 1/127: their sum 32 is an f16, and 127 * 32 f16(d) is another number.
TEST(Linear, TheSumThatMeetsAMinimumIsRoundedOnce) {
  const auto x = tensor_of<R, I>({1, 32}, std::vector<double>(32, 1));
  LinearWeights w(make_tensor<O, I>({1, 32}));
  w.activation.stored = InputRounding::kBlocks32;
  w.minima = tensor_of<O, I>({1, 1}, {1});
  const double scale = 0x1.02p-7;
  EXPECT_NEAR(values_of(linear(x, w))[0], 32 - 127 * 32 * scale, 1e-5);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
