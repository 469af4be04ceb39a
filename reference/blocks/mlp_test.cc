// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/mlp.h"

#include "reference/family/testing/test_directory.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kGeluOfOne = 0.841191990608276;
constexpr double kGeluOfTwo = 1.954597694087775;
constexpr double kBound = bound_of(2e-6, 1e-14);

// One input 1, gate (1, 2), up (3, 5), down (1, 1) and (1, -1).
std::vector<double> ours(const std::vector<double>& gate, const std::vector<double>& up) {
  Taps silent;
  const MlpWeights w{tensor_of<O, I>({2, 1}, gate), tensor_of<O, I>({2, 1}, up),
                     tensor_of<O, I>({2, 2}, {1, 1, 1, -1})};
  return values_of(mlp(w, tensor_of<T, D>({1, 1}, {1}), TapScope(silent, "")));
}

const std::vector<double> kRight = {3 * kGeluOfOne + 5 * kGeluOfTwo,
                                    3 * kGeluOfOne - 5 * kGeluOfTwo};

TEST(Mlp, ByHand) {
  expect_near(ours({1, 2}, {3, 5}), kRight, kBound);
}

// M-100
TEST(mlp, gate_and_up_swapped) {
  expect_avoided(ours({1, 2}, {3, 5}), kRight, ours({3, 5}, {1, 2}), kBound);
}

TEST(Mlp, RefusesWidthsThatDoNotFit) {
  Taps silent;
  const auto x = make_tensor<T, D>({1, 3});
  const MlpWeights w{make_tensor<O, I>({4, 3}), make_tensor<O, I>({4, 3}),
                     make_tensor<O, I>({3, 5})};
  EXPECT_THROW(mlp(w, x, TapScope(silent, "")), Error);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
