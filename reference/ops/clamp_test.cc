// SPDX-License-Identifier: Apache-2.0
// Rules RC-6.
#include "reference/ops/clamp.h"

#include <limits>

#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

std::vector<double> ours(const std::vector<double>& x, double limit) {
  return values_of(clamp(tensor_of<R, D>({1, x.size()}, x), limit));
}

TEST(Clamp, ByHand) {
  expect_near(ours({-3, -0.5, 0, 0.5, 3}, 0.75), {-0.75, -0.5, 0, 0.5, 0.75}, 0);
}

TEST(Clamp, LeavesAlmostEverythingAsItIs) {
  expect_near(ours({-1e9, 1e-30, 1e9}, 1e10), ours({-1e9, 1e-30, 1e9}, 1e300), 0);
}

TEST(Clamp, BringsInfinityBack) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double largest = std::numeric_limits<Real>::max();
  expect_near(ours({infinity, -infinity}, 1e10), {1e10, -1e10}, 0);
  expect_near(ours({infinity, -infinity}, infinity), {largest, -largest}, 0);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
