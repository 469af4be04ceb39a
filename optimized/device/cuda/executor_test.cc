// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <string>
#include <vector>

#include "optimized/device/cuda/stream.h"
#include "optimized/testing/run_fault.h"

namespace assay::cuda {
namespace {

struct Planted {
  Fault fault;
  const char* message;  // part of what it ends with; "values": wrong numbers
};

TEST(Executor, RightKernelsRaiseNoAlarm) {
  for (const Fault right : {Fault::kNone, Fault::kAtomicCount, Fault::kHalfWarps,
                            Fault::kNamedBarriers, Fault::kAsyncCopy}) {
    for (const simt::Order order : kOrders) {
      EXPECT_EQ(shown(right, order), "") << static_cast<int>(right);
    }
  }
}

TEST(Executor, FaultsAreCaughtInEachOrder) {
  const Planted planted[] = {
      {Fault::kPastTheEnd, "written outside the array"},
      {Fault::kBeforeTheStart, "written outside the array"},
      {Fault::kPastDynamic, "written outside the dynamic shared memory"},
      {Fault::kHalfBarrier, "a barrier waits although 32 threads have ended"},
      {Fault::kTwoBarriers, "threads of one block wait at different barriers"},
      {Fault::kShuffleInBranch, "other lanes of its mask wait at"},
      {Fault::kShuffleOutside, "which is outside its mask"},
      {Fault::kMaskWithoutMe, "the mask leaves the caller out"},
      {Fault::kDeadLanes, "lanes that have ended"},
      {Fault::kUnwritten, "values"},
      {Fault::kNamedShort, "deadlock"},
      {Fault::kCopyNoWait, "values"},
      {Fault::kCopyNeverWaited, "has not waited for its copies"},
      {Fault::kEarlyExit, "a barrier waits although 32 threads have ended"},
  };
  for (const Planted& each : planted) {
    for (const simt::Order order : kOrders) {
      const std::string got = shown(each.fault, order);
      EXPECT_NE(got.find(each.message), std::string::npos)
          << "fault " << static_cast<int>(each.fault) << ": got '" << got << "'";
    }
  }
}

// These depend on which thread comes first; the race detector finds them in every order.
TEST(Executor, MissingBarriersShowInSomeOrder) {
  for (const Fault fault : {Fault::kMissingBarrier, Fault::kShiftInPlace, Fault::kMissingSyncwarp,
                            Fault::kNamedMissing}) {
    int caught = 0;
    for (const simt::Order order : kOrders) {
      caught += shown(fault, order).empty() ? 0 : 1;
    }
    EXPECT_GE(caught, 1) << static_cast<int>(fault);
  }
}

TEST(Executor, MessagesNameThePlace) {
  const std::string got = shown(Fault::kShuffleInBranch, simt::Order::kForward);
  EXPECT_NE(got.find("fault_kernels.cu:"), std::string::npos) << got;
  EXPECT_NE(got.find("block 0 thread 1"), std::string::npos) << got;
}

TEST(Executor, RunsOnAfterAFailure) {
  EXPECT_NE(shown(Fault::kNamedShort, simt::Order::kForward), "");
  EXPECT_EQ(shown(Fault::kNone, simt::Order::kForward), "");
}

TEST(Executor, RefusesImpossibleLaunches) {
  const auto refused = [](dim3 grid, dim3 block, std::size_t shared) {
    try {
      simt::run("launch", grid, block, shared, [] {});
    } catch (const simt::Failure& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused(1, 1025, 0), "launch: got a block of 1025 threads, expected 1 to 1024");
  EXPECT_NE(refused(0, 32, 0), "");
  EXPECT_NE(refused(dim3(1, 65536), 32, 0), "");
  EXPECT_EQ(refused(1, 32, 232449),
            "launch: got 232449 bytes of dynamic shared memory, expected at most 232448");
  EXPECT_EQ(refused(1, 32, 232448), "");
}

TEST(Stream, ComputesInEachOrder) {
  for (const simt::Order order : kOrders) {
    simt::settings = {};
    simt::settings.order = order;
    Stream stream;
    const int count = 1000;
    Buffer<float> x(count), y(count), out(count);
    std::vector<float> host(count);
    std::iota(host.begin(), host.end(), 0.0f);
    stream.upload(x.data(), host.data(), count * sizeof(float));
    stream.fill(y.data(), 0, count * sizeof(float));
    scale_add(stream, 2.0f, x.data(), y.data(), out.data(), count);
    stream.download(host.data(), out.data(), count * sizeof(float));
    stream.synchronize();
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(host[static_cast<std::size_t>(i)], 2.0f * static_cast<float>(i));
    }
  }
}

TEST(Stream, AGraphRunsWhenAsked) {
  simt::settings = {};
  Stream stream;
  Buffer<float> x(4), y(4);
  std::fill_n(x.data(), 4, 1.0f);
  std::fill_n(y.data(), 4, 0.0f);
  const Graph graph = stream.record([&] {
    scale_add(stream, 1.0f, x.data(), y.data(), y.data(), 4);
    scale_add(stream, 1.0f, x.data(), y.data(), y.data(), 4);
  });
  EXPECT_EQ(graph.size(), 2u);
  EXPECT_EQ(y.data()[3], 0.0f);
  stream.run(graph);
  stream.run(graph);
  stream.synchronize();
  EXPECT_EQ(y.data()[3], 4.0f);
}

TEST(Stream, FindsWritesOutsideMemory) {
  simt::settings = {};
  Stream stream;
  Buffer<float> x(5), y(5), out(4);
  std::fill_n(x.data(), 5, 1.0f);
  std::fill_n(y.data(), 5, 1.0f);
  scale_add(stream, 1.0f, x.data(), y.data(), out.data(), 5);
  EXPECT_THROW(stream.synchronize(), simt::Failure);
  out.data()[4] = std::bit_cast<float>(0xffffffffu);  // mended
  stream.synchronize();
}

}  // namespace
}  // namespace assay::cuda
