// SPDX-License-Identifier: Apache-2.0
// What transformers gives for whole models is tested in reference/model/quantised_forms_test.cc.
#include "reference/ops/fake_quantize.h"

#include "reference/ops/linear.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

std::vector<double> rounded(const std::vector<double>& x, double scale) {
  return values_of(fake_quantize(tensor_of<R, I>({1, x.size()}, x), static_cast<Real>(scale)));
}

TEST(FakeQuantize, RoundsToEvenAndClampsToABytesSteps) {
  EXPECT_EQ(rounded({0.2, 0.25, 0.3, 0.74, 0.75, -0.25, -0.75, 1.25}, 0.5),
            (std::vector<double>{0, 0, 0.5, 0.5, 1, 0, -1, 1}));
  EXPECT_EQ(rounded({63.4, 63.5, 64, 1000, -64, -64.2, -1000}, 0.5),
            (std::vector<double>{63.5, 63.5, 63.5, 63.5, -64, -64, -64}));
}

// A mistake: dividing by a scale that says "not calibrated".
TEST(FakeQuantize, ScaleZeroIsTheIdentity) {
  EXPECT_EQ(rounded({0.5, -3, 1e6, 0}, 0), (std::vector<double>{0.5, -3, 1e6, 0}));
}

// A mistake: rounding half away from zero.
TEST(FakeQuantize, TiesAreNotRoundedAway) {
  EXPECT_NE(rounded({0.25}, 0.5), std::vector<double>{0.5});
}

TEST(FakeQuantize, ALinearMapRoundsItsInputThenItsOutput) {
  const auto x = tensor_of<R, I>({1, 2}, {0.9, 2.2});
  const LinearWeights w(tensor_of<O, I>({1, 2}, {1, 0.3}), {1, 0.5});
  // 1 + 0.3 * 2 = 1.6 -> 1.5; without the input's rounding 1.56, without the output's 1.6.
  EXPECT_EQ(values_of(linear(x, w)), std::vector<double>{1.5});
  EXPECT_EQ(values_of(linear_heads(tensor_of<T, D>({1, 2}, {0.9, 2.2}), w, 1)),
            std::vector<double>{1.5});
  EXPECT_EQ(values_of(linear(x, LinearWeights(w.weight))), values_of(linear(x, w.weight)));
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
