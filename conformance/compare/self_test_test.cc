// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/self_test.h"

#include <gtest/gtest.h>

#include <chrono>

namespace assay::conformance {
namespace {

TEST(SelfTest, PassesAndIsQuick) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NO_THROW(self_test());
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  EXPECT_LT(spent.count(), 0.05);
}

}  // namespace
}  // namespace assay::conformance
