// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/multimodal_embedder.h"

#include "reference/testing/test_taps.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-6, 1e-14);
constexpr auto kRef = EmbedOrder::kNormThenProject;
constexpr auto kJax = EmbedOrder::kProjectThenNorm;

std::vector<double> embedded(const Tensor<R, D>& x, EmbedOrder order) {
  Taps silent;
  return values_of(
      multimodal_embedder(x, random_tensor<O, I>({5, 4}, 2), 1e-6, order, TapScope(silent, "")));
}

// (3, 4) has the mean square 12.5.
TEST(MultimodalEmbedder, ByHand) {
  TapRecorder taps;
  const auto x = tensor_of<R, D>({1, 2}, {3, 4});
  const auto projection = tensor_of<O, I>({2, 2}, {1, 1, 1, -1});
  const auto y = multimodal_embedder(x, projection, 0, kRef, TapScope(taps, "vision."));
  const double rms = std::sqrt(12.5);
  expect_near(taps.at("vision.embed.pre_norm").values, {3 / rms, 4 / rms}, kBound);
  expect_near(values_of(y), {7 / rms, -1 / rms}, kBound);
  expect_near(taps.at("vision.embed.out").values, values_of(y), 0);
}

// V47, V50, V51 in E2B and E4B: a factor on the rows is undone by the norm.
TEST(MultimodalEmbedder, HidesFactorsOnItsInput) {
  const auto x = random_tensor<R, D>({3, 4}, 1);
  expect_near(embedded(Tensor<R, D>(x * Real(9)), kRef), embedded(x, kRef), 1e-4);
}

// DIV-M01: rows differ by one positive factor each, and JAX's have the mean square 1.
TEST(MultimodalEmbedder, ProjectingFirstMovesEachRowByAFactor) {
  const auto x = random_tensor<R, D>({3, 4}, 1);
  const auto ref = embedded(x, kRef);
  const auto jax = embedded(x, kJax);
  for (std::size_t r = 0; r < 3; ++r) {
    double squares = 0;
    for (std::size_t o = 0; o < 5; ++o) {
      const std::size_t i = 5 * r + o;
      squares += jax[i] * jax[i];
      EXPECT_NEAR(ref[i] / jax[i], ref[5 * r] / jax[5 * r], bound_of(1e-4, 1e-12));
    }
    EXPECT_NEAR(squares / 5, 1, 1e-4);
  }
  EXPECT_GT(largest_difference(ref, jax), 0.01);
}

TEST(MultimodalEmbedder, ProjectingFirstHasNoPreNorm) {
  TapRecorder taps;
  multimodal_embedder(random_tensor<R, D>({1, 4}, 1), random_tensor<O, I>({5, 4}, 2), 1e-6, kJax,
                      TapScope(taps, "audio."));
  EXPECT_THROW(taps.at("audio.embed.pre_norm"), std::out_of_range);
  EXPECT_EQ(taps.at("audio.embed.out").shape, std::vector<std::size_t>({1, 5}));
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
