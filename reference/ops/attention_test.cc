// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/attention.h"

#include <functional>

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(2e-6, 1e-14);
using HeadOf = std::function<std::size_t(std::size_t)>;

const HeadOf kGroups = [](std::size_t n) { return n / 2; };  // 4 query heads, 2 key heads

Tensor<T, N, H> queries() {
  return random_tensor<T, N, H>({2, 4, 8}, 1);
}
Tensor<S, K, H> keys() {
  return random_tensor<S, K, H>({5, 2, 8}, 2);
}

// R-35, written once more.
std::vector<double> scores_with(const HeadOf& head_of, double scale) {
  const auto q = queries();
  const auto k = keys();
  std::vector<double> scores;
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t n = 0; n < 4; ++n) {
      for (std::size_t s = 0; s < 5; ++s) {
        double sum = 0;
        for (std::size_t h = 0; h < 8; ++h) {
          sum += static_cast<double>(q(t, n, h)) * static_cast<double>(k(s, head_of(n), h));
        }
        scores.push_back(scale * sum);
      }
    }
  }
  return scores;
}

TEST(AttentionScores, ByHand) {
  const auto q = tensor_of<T, N, H>({1, 2, 2}, {1, 2, 3, 4});
  const auto k = tensor_of<S, K, H>({2, 1, 2}, {1, 1, 10, -1});
  EXPECT_EQ(values_of(attention_scores(q, k)), std::vector<double>({3, 8, 7, 26}));
}

TEST(AttentionScores, RefusesHeadsThatDoNotDivide) {
  const auto q = make_tensor<T, N, H>({1, 4, 2});
  EXPECT_EQ(error_of([&] {
              attention_scores(q, make_tensor<S, K, H>({3, 3, 2}));
            }),
            "attention: got 4 query heads, expected a multiple of 3");
  EXPECT_THROW(attention_scores(q, make_tensor<S, K, H>({3, 8, 2})), Error);
  EXPECT_THROW(attention_scores(q, make_tensor<S, K, H>({3, 0, 2})), Error);
}

TEST(AttentionScores, RefusesKeysOfAnotherWidth) {
  const auto q = make_tensor<T, N, H>({1, 4, 2});
  EXPECT_EQ(error_of([&] {
              attention_scores(q, make_tensor<S, K, H>({3, 2, 4}));
            }),
            "attention_scores: k: got shape [3, 2, 4], expected [3, 2, 2]");
}

TEST(AttentionMix, ByHand) {
  const auto probs = tensor_of<T, N, S>({1, 2, 2}, {0.25, 0.75, 1, 0});
  const auto v = tensor_of<S, K, H>({2, 1, 2}, {4, 8, 0, 16});
  EXPECT_EQ(values_of(attention_mix(probs, v)), std::vector<double>({1, 14, 4, 8}));
}

TEST(AttentionMix, RefusesValuesThatDoNotFit) {
  const auto probs = make_tensor<T, N, S>({1, 4, 3});
  EXPECT_EQ(error_of([&] {
              attention_mix(probs, make_tensor<S, K, H>({2, 2, 4}));
            }),
            "attention_mix: v: got shape [2, 2, 4], expected [3, 2, 4]");
  EXPECT_THROW(attention_mix(probs, make_tensor<S, K, H>({3, 3, 4})), Error);
}

// M-60: queries and keys are normed; there is no 1/sqrt(H).
TEST(attention, extra_query_scale) {
  expect_avoided(values_of(attention_scores(queries(), keys())), scores_with(kGroups, 1),
                 scores_with(kGroups, 1 / std::sqrt(8.0)), kBound);
}

// M-63: groups are contiguous.
TEST(attention, kv_head_mod) {
  const HeadOf modulo = [](std::size_t n) { return n % 2; };
  expect_avoided(values_of(attention_scores(queries(), keys())), scores_with(kGroups, 1),
                 scores_with(modulo, 1), kBound);
}

TEST(attention, kv_head_mod_in_mix) {
  auto probs = make_tensor<T, N, S>({1, 4, 1});
  std::fill(probs.begin(), probs.end(), Real(1));
  const auto v = tensor_of<S, K, H>({1, 2, 1}, {5, 6});
  EXPECT_EQ(values_of(attention_mix(probs, v)), std::vector<double>({5, 5, 6, 6}));
}

// M-62: Gemma 2 capped scores at 50.
TEST(attention, scores_capped) {
  const auto q = tensor_of<T, N, H>({1, 1, 1}, {8});
  const auto k = tensor_of<S, K, H>({1, 1, 1}, {8});
  EXPECT_GT(std::abs(50 * std::tanh(64.0 / 50) - 64), 10);
  EXPECT_EQ(attention_scores(q, k)(0, 0, 0), 64);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
