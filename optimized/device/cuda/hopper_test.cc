// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/cuda/hopper.h"

#include <gtest/gtest.h>

#include <string>

#include "optimized/testing/every_order.h"
#include "optimized/testing/pipeline_faults.h"
#include "optimized/testing/tensor_core_bound.h"

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

}  // namespace
}  // namespace assay::cuda
