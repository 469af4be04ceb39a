// SPDX-License-Identifier: Apache-2.0
// For tests: one test for each instruction set that the program holds code for. Those that this
// machine lacks are compiled and no more: their tests say so and are skipped.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "optimized/device/features.h"

namespace assay::cpu {

class EveryTarget : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto here = targets();
    if (std::ranges::find(here, GetParam()) == here.end()) {
      GTEST_SKIP() << GetParam() << ": compiled only, this machine has " << machine_features();
    }
    use_target(GetParam());
  }
  void TearDown() override { use_target(""); }
};

inline std::string target_test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

#define ASSAY_ON_EVERY_TARGET(Fixture)                                                          \
  INSTANTIATE_TEST_SUITE_P(Targets, Fixture, testing::ValuesIn(assay::cpu::compiled_targets()), \
                           assay::cpu::target_test_name)

}  // namespace assay::cpu
