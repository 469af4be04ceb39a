// SPDX-License-Identifier: Apache-2.0
// Rules RC-7, RC-9, RC-16.
#include "reference/ops/silu.h"

#include <functional>

#include "reference/family/testing/test_directory.h"
#include "reference/ops/gelu.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(1e-6, 1e-14);

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

using Scalar = std::function<double(double)>;

std::vector<double> each(const std::vector<double>& x, const Scalar& f) {
  std::vector<double> y;
  for (const double value : x) {
    y.push_back(f(value));
  }
  return y;
}

std::vector<double> our_silu(const std::vector<double>& x) {
  return values_of(silu(tensor_of<R, F>({1, x.size()}, x)));
}

std::vector<double> our_softplus(const std::vector<double>& x) {
  return values_of(softplus(tensor_of<H>({x.size()}, x)));
}

const std::vector<double> kValues = {-6, -2, -1, -0.25, 0, 0.25, 1, 2, 6};

TEST(Silu, ByHand) {  // sigmoid(1) = 0.731058578630005
  expect_near(our_silu({0, 1, -1}), {0, 0.731058578630005, -0.268941421369995}, kBound);
}

TEST(Silu, FarOut) {  // exp overflows, the product does not
  expect_near(our_silu({1000, -1000}), {1000, 0}, 0);
}

// C23
TEST(silu, gelu) {
  const auto x = tensor_of<R, F>({1, kValues.size()}, kValues);
  expect_avoided(our_silu(kValues), each(kValues, [](double v) { return v * sigmoid(v); }),
                 values_of(gelu(x)), kBound);
}

TEST(Softplus, ByHand) {  // ln 2, ln(1 + e)
  expect_near(our_softplus({0, 1}), {0.693147180559945, 1.31326168751822}, kBound);
}

TEST(Softplus, FarOut) {
  expect_near(our_softplus({100, 1000}), {100, 1000}, 0);
  EXPECT_NEAR(our_softplus({-60})[0], 8.75651076269652e-27, 1e-32);
}

// Released values lie between -5.3 and -2; there the three mistakes all stay small.
const std::vector<double> kPerDimScale = {-5.3, -4, -3, -2};
double softplus_of(double x) {
  return std::log1p(std::exp(x));
}

// C27
TEST(softplus, omitted) {
  expect_avoided(our_softplus(kPerDimScale), each(kPerDimScale, softplus_of), kPerDimScale, 1e-6);
}

// C27
TEST(softplus, twice) {
  expect_avoided(our_softplus(kPerDimScale), each(kPerDimScale, softplus_of),
                 our_softplus(our_softplus(kPerDimScale)), 1e-6);
}

// C27
TEST(softplus, exponential) {
  expect_avoided(our_softplus(kPerDimScale), each(kPerDimScale, softplus_of),
                 each(kPerDimScale, [](double v) { return std::exp(v); }), 1e-6);
}

const std::vector<double> kPairs = {0.5, -2, 3, 1, -1, 0.25};  // values, then gates

std::vector<double> our_glu(const std::vector<double>& x) {
  return values_of(glu(tensor_of<T, F>({1, x.size()}, x)));
}

const std::vector<double> kGated = {0.5 * sigmoid(1), -2 * sigmoid(-1), 3 * sigmoid(0.25)};

TEST(Glu, ByHand) {
  expect_near(our_glu({2, 4, 0, 1}), {1, 2.92423431452002}, kBound);
}

TEST(Glu, RefusesAnOddWidth) {
  EXPECT_EQ(error_of([] { our_glu({1, 2, 3}); }), "glu: x: got shape [1, 3], expected [1, 2]");
}

// C45
TEST(glu, halves_exchanged) {
  expect_avoided(our_glu(kPairs), kGated, our_glu({1, -1, 0.25, 0.5, -2, 3}), kBound);
}

// C45
TEST(glu, interleaved) {
  expect_avoided(our_glu(kPairs), kGated, {0.5 * sigmoid(-2), 3 * sigmoid(1), -1 * sigmoid(0.25)},
                 kBound);
}

// C45
TEST(glu, silu_gate) {
  expect_avoided(our_glu(kPairs), kGated, {0.5 * sigmoid(1), 2 * sigmoid(-1), 0.75 * sigmoid(0.25)},
                 kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
