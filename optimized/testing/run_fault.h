// SPDX-License-Identifier: Apache-2.0
// For tests of the executor and of the race detector: a fault run to its end.
#pragma once

#include <numeric>
#include <string>

#include "optimized/device/cuda/executor.h"
#include "optimized/device/cuda/stream.h"
#include "optimized/testing/fault_kernels.h"

namespace assay::cuda {

inline constexpr simt::Order kOrders[] = {simt::Order::kForward, simt::Order::kReverse,
                                          simt::Order::kShuffled};

// The message that a fault ends with, "values" when the result is wrong, or nothing.
inline std::string shown(Fault fault, simt::Order order) {
  simt::settings = {};
  simt::settings.order = order;
  Stream stream;
  Buffer<int> in(kFaultThreads), out(kFaultThreads);
  std::iota(in.data(), in.data() + kFaultThreads, 100);
  try {
    run_fault(stream, fault, in.data(), out.data());
    stream.synchronize();
  } catch (const simt::Failure& failure) {
    return failure.what();
  }
  for (int t = 0; t < kFaultThreads; ++t) {
    if (out.data()[t] != expected_of(fault, in.data(), t)) {
      return "values";
    }
  }
  return "";
}

}  // namespace assay::cuda
