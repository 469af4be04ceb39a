// SPDX-License-Identifier: Apache-2.0
// --impl cuda as users meet it: on the host twin, and where there is no device.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"

namespace assay::program {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kCheckpoint = source_dir() + "/golden/checkpoints/31b-tiny";

class CudaCommand : public testing::Test {
 protected:
  void SetUp() override { setenv("ASSAY_CUDA_HOST", "1", 1); }
  void TearDown() override { unsetenv("ASSAY_CUDA_HOST"); }
};

TEST_F(CudaCommand, SaysWhatExecutedIt) {
  const auto verified = run("verify --impl cuda --case 31b-tiny/text-short");
  EXPECT_EQ(verified.status, 0) << verified.text;
  EXPECT_THAT(verified.text, HasSubstr("executed on: host twin"));
  EXPECT_THAT(verified.text, HasSubstr("4 pass, 0 fail"));
  const std::string options = "bench --impl cuda --checkpoint " + kCheckpoint + " -p 3 -n 2 -r 1";
  EXPECT_THAT(run(options).text, HasSubstr("executed on: host twin"));
  EXPECT_EQ(parse_json(run(options + " --json").text, "bench")["executed_on"], "host twin");
  const auto answered = run("run --impl cuda --checkpoint " + source_dir() +
                            "/golden/checkpoints/e2b-chat-tiny --max-tokens 2 hello");
  EXPECT_EQ(answered.status, 0) << answered.text;
  EXPECT_THAT(answered.text, HasSubstr("executed on: host twin"));
}

TEST_F(CudaCommand, RefusesTheClassThatItDoesNotCompute) {
  const auto refused = run("verify --impl cuda --precision int8 --case 31b-q4_0-tiny/text-blocks");
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.text, "assay: --precision: got 'int8', expected f32 or bf16 for --impl cuda\n");
}

// With libassay_cuda.so or without; where there is a device the cases pass.
TEST_F(CudaCommand, WithoutADeviceNothingIsSupportedAndALineSaysWhy) {
  unsetenv("ASSAY_CUDA_HOST");
  const auto outcome = run("verify --impl cuda --case 31b-tiny/text-short");
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, Not(HasSubstr("host twin")));
  if (outcome.text.find("4 pass") == std::string::npos) {
    EXPECT_THAT(outcome.text, HasSubstr("cuda: got no "));
    EXPECT_THAT(outcome.text, HasSubstr("ASSAY_CUDA_HOST=1 runs the kernels on the CPU"));
    EXPECT_THAT(outcome.text, HasSubstr("0 pass, 0 fail, 2 not supported"));
  }
}

}  // namespace
}  // namespace assay::program
