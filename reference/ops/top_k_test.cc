// SPDX-License-Identifier: Apache-2.0
#include "reference/ops/top_k.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

std::vector<double> ours(const std::vector<double>& x, std::size_t k) {
  return values_of(top_k(tensor_of<R, E>({1, x.size()}, x), k));
}

using Indices = std::vector<double>;

TEST(TopK, LargestFirst) {
  EXPECT_EQ(ours({0.1, 0.4, 0.2, 0.3}, 3), Indices({1, 3, 2}));
  EXPECT_EQ(ours({-5, -1, -3}, 3), Indices({1, 2, 0}));
}

TEST(TopK, EachRowByItself) {
  const auto x = tensor_of<R, E>({2, 3}, {1, 2, 3, 3, 2, 1});
  EXPECT_EQ(values_of(top_k(x, 2)), Indices({2, 1, 0, 1}));
}

TEST(TopK, NoneAndAll) {
  EXPECT_EQ(ours({1, 2}, 0), Indices());
  EXPECT_EQ(ours({1, 2}, 2), Indices({1, 0}));
}

TEST(TopK, RefusesMoreThanThereAre) {
  EXPECT_EQ(error_of([] { ours({1, 2}, 3); }), "top_k: got k = 3, expected at most 2");
}

// R-53; also where a tie straddles the border, and in rows long enough for another sort.
TEST(top_k, ties_by_any_order) {
  EXPECT_EQ(ours({2, 7, 7, 1, 7}, 2), Indices({1, 2}));
  EXPECT_EQ(ours({0, 0, 0}, 3), Indices({0, 1, 2}));
  std::vector<double> many(128, 0.5);
  many[100] = 1;
  EXPECT_EQ(ours(many, 4), Indices({100, 0, 1, 2}));
}

// The order is that of weights, not of indices.
TEST(top_k, sorted_by_index) {
  EXPECT_EQ(ours({1, 5, 9, 7}, 3), Indices({2, 3, 1}));
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
