// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "optimized/device/cuda/watcher.h"

namespace assay::cuda {
namespace {

// Of the program that runs engine_calls_test.cc with it.
TEST(RaceDetector, IsThere) {
  EXPECT_NE(simt::watcher, nullptr);
}

}  // namespace
}  // namespace assay::cuda
