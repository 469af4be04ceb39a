// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "optimized/device/cuda/watcher.h"
#include "optimized/testing/every_order.h"
#include "optimized/testing/pipeline_faults.h"
#include "optimized/testing/tensor_core_bound.h"
#include "optimized/testing/wgmma_faults.h"

namespace assay::cuda {
namespace {

class Pipeline : public EveryOrder {};
ASSAY_IN_EVERY_ORDER(Pipeline);

// What a fault shows: a message, "values", or nothing.
std::string shown(PipelineFault fault) {
  const std::size_t depth = 64 * 5, rows = 64, columns = 128;
  const auto x = nearest_bf16(normal_values(rows * depth, 1));
  const auto w = nearest_bf16(normal_values(columns * depth, 2));
  OnDevice<std::uint16_t> x_there(x), w_there(w);
  Floats y(rows * columns);
  Stream stream;
  try {
    run_pipeline(stream, fault, x_there.data(), w_there.data(), static_cast<int>(depth), y.data());
  } catch (const simt::Failure& failure) {
    return failure.what();
  }
  const auto got = y.values();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const ExactSum exact =
        tensor_core_product(&x[i / columns * depth], &w[i % columns * depth], depth);
    if (!(std::abs(static_cast<double>(got[i]) - exact.sum) <= exact.bound)) {
      return "values";
    }
  }
  return "";
}

TEST_P(Pipeline, TheRightOneIsWithinTheBound) {
  EXPECT_EQ(shown(PipelineFault::kNone), "");
}

TEST_P(Pipeline, FaultsAreCaughtByName) {
  const struct {
    PipelineFault fault;
    const char* message;
  } planted[] = {
      {PipelineFault::kNeverReleased, "deadlock"},
      {PipelineFault::kDescriptorStands, "values"},
      {PipelineFault::kNoWaitForProducts, "values"},
      {PipelineFault::kTooManyArrivals, "deadlock"},
  };
  for (const auto& each : planted) {
    const std::string got = shown(each.fault);
    // Under the race detector a race may be found first.
    EXPECT_TRUE(got.find(each.message) != std::string::npos ||
                got.find("race on") != std::string::npos)
        << static_cast<int>(each.fault) << ": got '" << got << "'";
  }
}

TEST_P(Pipeline, FaultsOfTimingAreCaught) {
  for (const PipelineFault fault : {PipelineFault::kOverwrites, PipelineFault::kReleasedEarly,
                                    PipelineFault::kNoWaitForLanding, PipelineFault::kFewerBytes}) {
    EXPECT_NE(shown(fault), "") << static_cast<int>(fault);
  }
}

TEST_P(Pipeline, AnUnreleasedStageIsNamed) {
  const std::string got = shown(PipelineFault::kNeverReleased);
  EXPECT_NE(got.find("mbarrier_wait for empty of"), std::string::npos) << got;
}

// The same of a product whose B lies transposed.
std::string shown(WgmmaFault fault) {
  const std::size_t rows = 64, depth = 64, columns = 256;
  const auto a = nearest_bf16(normal_values(rows * depth, 3));
  const auto b = nearest_bf16(normal_values(depth * columns, 4));
  std::vector<std::uint16_t> b_columns(b.size());
  for (std::size_t i = 0; i < b.size(); ++i) {
    b_columns[i % columns * depth + i / columns] = b[i];
  }
  OnDevice<std::uint16_t> a_there(a), b_there(b);
  Floats y(rows * columns);
  Stream stream;
  try {
    run_wgmma(stream, fault, a_there.data(), b_there.data(), y.data());
  } catch (const simt::Failure& failure) {
    return failure.what();
  }
  const auto got = y.values();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const ExactSum exact =
        tensor_core_product(&a[i / columns * depth], &b_columns[i % columns * depth], depth);
    if (!(std::abs(static_cast<double>(got[i]) - exact.sum) <= exact.bound)) {
      return "values";
    }
  }
  return "";
}

TEST_P(Pipeline, ProductsOfWhatThreadsWroteAreWithinTheBound) {
  EXPECT_EQ(shown(WgmmaFault::kNone), "");
  EXPECT_EQ(shown(WgmmaFault::kFromRegisters), "");
}

TEST_P(Pipeline, FaultsOfOperandsAreCaught) {
  EXPECT_EQ(shown(WgmmaFault::kRewritten), "values");
  EXPECT_NE(shown(WgmmaFault::kNotTransposed), "");  // it reads elsewhere, or beyond
  EXPECT_EQ(shown(WgmmaFault::kWrongSlab), "values");
  // The executor has one way to memory: only the race detector knows of two.
  const std::string fence = simt::watcher == nullptr ? "" : "missing fence_for_async";
  EXPECT_NE(shown(WgmmaFault::kNoFence).find(fence), std::string::npos);
}

}  // namespace
}  // namespace assay::cuda
