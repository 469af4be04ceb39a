// SPDX-License-Identifier: Apache-2.0
// --target, and the classes that are judged where none is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/testing/test_program.h"
#include "reference/family/testing/source_dir.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kShort = " --impl cpu --case 'e2b-tiny/text-short'";

// "avx2, sse4, …", as the refusal of a target has them.
std::string targets() {
  const std::string text = run("verify --target list" + kShort).text;
  const std::string words = "expected one of ";
  const std::size_t at = text.find(words);
  EXPECT_NE(at, std::string::npos) << text;
  return text.substr(at + words.size(), text.size() - at - words.size() - 1);
}

TEST(TargetOption, HoldsTheImplementationToAnInstructionSet) {
  const std::string all = targets();
  for (const std::string& target : {all.substr(0, all.find(',')), all.substr(all.rfind(' ') + 1)}) {
    const Outcome outcome = run("verify --precision f32 --target " + target + kShort);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("PASS  cpu f32 chained  e2b-tiny/text-short")) << target;
  }
}

TEST(TargetOption, NamesWhatTheMachineHas) {
  const std::string checkpoint =
      " --checkpoint " + source_dir() + "/golden/checkpoints/e2b-chat-tiny ";
  for (const std::string& command :
       {"verify" + kShort, "run --impl cpu" + checkpoint + "hello",
        "dump --impl cpu" + checkpoint + "--case " + source_dir() +
            "/golden/cases/e2b-tiny/text-short.h5 --out /dev/null/no"}) {
    const Outcome outcome = run(command + " --target list");
    EXPECT_EQ(outcome.status, 2) << outcome.text;
    EXPECT_THAT(outcome.text,
                StartsWith("assay: --target: got 'list', expected one of " + targets()));
  }
}

TEST(TargetOption, IsForThoseThatHaveTargets) {
  const Outcome outcome = run("verify --target avx2 --case 'e2b-tiny/text-short'");
  EXPECT_EQ(outcome.status, 2) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("--target: got 'avx2', expected none: --impl reference"));
}

TEST(Classes, ThoseThatACheckpointTellsApartAreJudged) {
  const std::string bf16 = run("verify" + kShort).text;
  EXPECT_THAT(bf16, AllOf(HasSubstr("cpu f32 chained"), HasSubstr("cpu bf16 chained"),
                          Not(HasSubstr("cpu int8"))));
  const std::string named = run("verify --precision int8" + kShort).text;
  EXPECT_THAT(named, HasSubstr("cpu int8 chained"));
}

}  // namespace
}  // namespace assay::program
