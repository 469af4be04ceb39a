// SPDX-License-Identifier: Apache-2.0
// --mode and --depth: the modes that take part in a run, and what they are refused for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kVerify = "verify --precision f32 --case 31b-tiny/text-edges ";
const std::string kGolden = source_dir() + "/golden/cases/31b-tiny/text-long.h5 ";

Json first_case(const TestDirectory& directory) {
  return parse_json(contents(directory.path() / "report.json"), "report.json")["cases"][0];
}

bool has_tap(const Json& result, const std::string& name) {
  const auto& taps = result["taps"].array();
  return std::ranges::any_of(taps, [&](const Json& tap) { return tap["tap"] == name; });
}

TEST(ModeOption, IsolatedJudgesEveryBlockByItself) {
  const TestDirectory directory;
  const Outcome outcome = run(kVerify + "--mode isolated --report " + directory.path().string());
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("PASS  reference f32 isolated  31b-tiny/text-edges"),
                                  HasSubstr("1 pass, 0 fail"), Not(HasSubstr("chained"))));
  const Json result = first_case(directory);
  EXPECT_EQ(result["mode"], "isolated");
  EXPECT_TRUE(has_tap(result, "text.layer.0.out"));
  EXPECT_TRUE(has_tap(result, "text.logits"));
}

TEST(ModeOption, ForcedJudgesWhatComesAfterTheDepth) {
  for (const auto& [depth, first] : {std::pair("", 3), std::pair(" --depth 2", 2)}) {
    const TestDirectory directory;
    const Outcome outcome =
        run(kVerify + "--mode forced --report " + directory.path().string() + depth);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("PASS  reference f32 forced  31b-tiny/text-edges"));
    const Json result = first_case(directory);
    EXPECT_EQ(result["mode"], "forced");
    EXPECT_FALSE(has_tap(result, "text.layer." + std::to_string(first - 1) + ".out"));
    EXPECT_TRUE(has_tap(result, "text.layer." + std::to_string(first) + ".out"));
    EXPECT_TRUE(has_tap(result, "text.logits"));
  }
}

TEST(ModeOption, AnImplementationThatCannotBeFedIsNotSupported) {
  const Outcome outcome = run(kVerify + "--impl cpu --mode isolated");
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("SKIP  cpu f32 isolated"), HasSubstr("0 pass, 0 fail"),
                    HasSubstr("needs runs in one call that go on from what a listener writes")));
  EXPECT_THAT(run(kVerify + "--prefill 2 --mode forced").text,
              HasSubstr("SKIP  reference f32 forced"));
}

TEST(ModeOption, ADepthNeedsTheModeAndALayer) {
  for (const std::string mode : {"", "--mode chained ", "--mode isolated "}) {
    const Outcome outcome = run(kVerify + mode + "--depth 2");
    EXPECT_EQ(outcome.status, 2) << outcome.text;
    EXPECT_EQ(outcome.text, "assay: --depth: got 2, expected --mode forced too\n");
  }
  const Outcome deep = run(kVerify + "--mode forced --depth 99");
  EXPECT_THAT(deep.text, AllOf(HasSubstr("SKIP  reference f32 forced"),
                               HasSubstr("depth: got 99, expected 1 to 7, the layers whose")));
  EXPECT_EQ(run(kVerify + "--mode forced --depth x").status, 2);
}

TEST(ModeOption, ADumpCannotBeFed) {
  const std::string dump =
      source_dir() + "/golden/findings/ctranslate2-4.8.5-31b-logits.safetensors ";
  for (const std::string mode : {"isolated", "forced", "forward"}) {
    const Outcome outcome = run("compare " + kGolden + dump + "--mode " + mode);
    EXPECT_EQ(outcome.status, 2) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("--mode: got '" + mode + "', expected chained or replay"));
  }
  const Outcome other = run(kVerify + "--mode force");
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.text,
              HasSubstr("--mode: got 'force', expected chained, replay, isolated or forced"));
}

}  // namespace
}  // namespace assay::program
