// SPDX-License-Identifier: Apache-2.0
// The program of kernel tests that are linked for a device; 77 where there is none. The orders that
// they ask for and the race detector are the host executor's, and a device has neither.
#include <gtest/gtest.h>

#include <cstdio>

#include "optimized/device/cuda/executor.h"
#include "optimized/device/cuda/stream.h"
#include "optimized/device/cuda/watcher.h"

namespace assay::simt {

SIMT_THREAD_LOCAL Settings settings;
constinit Watcher* watcher = nullptr;

}  // namespace assay::simt

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  const auto facts = assay::cuda::device_facts();
  if (facts.name.empty()) {
    std::printf("no device: %s\n", facts.reason.c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}
