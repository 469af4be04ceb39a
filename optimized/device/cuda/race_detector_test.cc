// SPDX-License-Identifier: Apache-2.0
// The same small kernels as executor_test.cc, compiled for the race detector.
#include <gtest/gtest.h>

#include <string>

#include "optimized/testing/run_fault.h"

namespace assay::cuda {
namespace {

TEST(RaceDetector, RightKernelsRaiseNoAlarm) {
  for (const Fault right : {Fault::kNone, Fault::kAtomicCount, Fault::kHalfWarps,
                            Fault::kNamedBarriers, Fault::kAsyncCopy}) {
    for (const simt::Order order : kOrders) {
      EXPECT_EQ(shown(right, order), "") << static_cast<int>(right);
    }
  }
}

TEST(RaceDetector, FindsEachRaceInEachOrder) {
  for (const Fault fault :
       {Fault::kMissingBarrier, Fault::kShiftInPlace, Fault::kPlainCount, Fault::kMissingSyncwarp,
        Fault::kNamedMissing, Fault::kCopyMissingBarrier, Fault::kBlocksCollide}) {
    for (const simt::Order order : kOrders) {
      const std::string got = shown(fault, order);
      const bool named = got.find("race on") != std::string::npos ||
                         got.find("never written") != std::string::npos;
      EXPECT_TRUE(named) << static_cast<int>(fault) << ": " << got;
    }
  }
}

TEST(RaceDetector, FindsReadsOfWhatNobodyWrote) {
  for (const simt::Order order : kOrders) {
    const std::string got = shown(Fault::kUnwritten, order);
    EXPECT_NE(got.find("read of shared memory that was never written"), std::string::npos) << got;
  }
}

TEST(RaceDetector, NamesTheLine) {
  const std::string got = shown(Fault::kPlainCount, simt::Order::kForward);
  EXPECT_NE(got.find("race on shared memory: read by block 0 thread"), std::string::npos) << got;
  const std::size_t place = got.find(", at ");
  ASSERT_NE(place, std::string::npos) << got;
  if (got.find(", at 0x") == std::string::npos) {  // where addr2line is installed
    EXPECT_NE(got.find("fault_kernels.cu:", place), std::string::npos) << got;
  }
}

}  // namespace
}  // namespace assay::cuda
