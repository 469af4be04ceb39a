// SPDX-License-Identifier: Apache-2.0
// The same small kernels as executor_test.cc, compiled for the race detector.
#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "optimized/device/cuda/executor.h"
#include "optimized/device/cuda/stream.h"
#include "optimized/testing/fault_kernels.h"

namespace assay::cuda {
namespace {

constexpr simt::Order kOrders[] = {simt::Order::kForward, simt::Order::kReverse,
                                   simt::Order::kShuffled};

std::string message_of(Fault fault, simt::Order order) {
  simt::settings = {};
  simt::settings.order = order;
  Stream stream;
  Buffer<int> in(kFaultThreads), out(kFaultThreads);
  std::iota(in.data(), in.data() + kFaultThreads, 100);
  try {
    run_fault(stream, fault, in.data(), out.data());
  } catch (const simt::Failure& failure) {
    return failure.what();
  }
  return "";
}

TEST(RaceDetector, RightKernelsRaiseNoAlarm) {
  for (const Fault right : {Fault::kNone, Fault::kAtomicCount, Fault::kHalfWarps,
                            Fault::kNamedBarriers, Fault::kAsyncCopy}) {
    for (const simt::Order order : kOrders) {
      EXPECT_EQ(message_of(right, order), "") << static_cast<int>(right);
    }
  }
}

TEST(RaceDetector, FindsEachRaceInEachOrder) {
  for (const Fault fault :
       {Fault::kMissingBarrier, Fault::kShiftInPlace, Fault::kPlainCount, Fault::kMissingSyncwarp,
        Fault::kNamedMissing, Fault::kCopyMissingBarrier, Fault::kBlocksCollide}) {
    for (const simt::Order order : kOrders) {
      const std::string got = message_of(fault, order);
      const bool named = got.find("race on") != std::string::npos ||
                         got.find("never written") != std::string::npos;
      EXPECT_TRUE(named) << static_cast<int>(fault) << ": " << got;
    }
  }
}

TEST(RaceDetector, FindsReadsOfWhatNobodyWrote) {
  for (const simt::Order order : kOrders) {
    const std::string got = message_of(Fault::kUnwritten, order);
    EXPECT_NE(got.find("read of shared memory that was never written"), std::string::npos) << got;
  }
}

TEST(RaceDetector, NamesTheLine) {
  const std::string got = message_of(Fault::kPlainCount, simt::Order::kForward);
  EXPECT_NE(got.find("race on shared memory: read by block 0 thread"), std::string::npos) << got;
  const std::size_t place = got.find(", at ");
  ASSERT_NE(place, std::string::npos) << got;
  if (got.find(", at 0x") == std::string::npos) {  // where addr2line is installed
    EXPECT_NE(got.find("fault_kernels.cu:", place), std::string::npos) << got;
  }
}

}  // namespace
}  // namespace assay::cuda
