// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using testing::HasSubstr;

const std::string kCases = " --golden " + source_dir() + "/golden/cases/31b-tiny --case text-edges";

TEST(MutateCommand, PrintsWhereEachIsCaughtAndWritesIt) {
  const TestDirectory directory;
  const std::string report = " --report " + directory.path().string();
  const auto outcome = run("mutate 'M-13[01]*'" + kCases);
  EXPECT_EQ(outcome.status, 2) << outcome.text;  // no pattern of ours has brackets
  const auto some = run("mutate 'M-130'" + kCases + report);
  EXPECT_EQ(some.status, 0) << some.text;
  EXPECT_THAT(some.text, HasSubstr("1 of 1 mutants killed, 1 at the expected tap"));
  EXPECT_THAT(some.text, HasSubstr("text.logits"));
  const auto json = parse_json(contents(directory.path() / "mutants.json"), "mutants.json");
  EXPECT_EQ(json["summary"]["killed"].get<int>(), 1);
  EXPECT_EQ(json["mutants"][0]["label"].get<std::string>(), "M-130");
  EXPECT_EQ(json["mutants"][0]["case"].get<std::string>(), "31b-tiny/text-edges");
}

TEST(MutateCommand, GoesOnWhereItStopped) {
  const TestDirectory directory;
  const std::string report = " --report " + directory.path().string();
  EXPECT_EQ(run("mutate M-130" + kCases + report).status, 0);
  const auto more = run("mutate 'M-13?' --resume" + kCases + report);
  EXPECT_THAT(more.text, HasSubstr("M-130"));
  const auto same = run("mutate M-130 --resume" + kCases + report);
  EXPECT_EQ(same.status, 0) << same.text;
  EXPECT_THAT(same.text, HasSubstr("1 mutants, 0 to run"));
}

TEST(MutateCommand, KeepsWhatAnotherPatternFoundAndRefusesAnotherClass) {
  const TestDirectory directory;
  const std::string report = " --report " + directory.path().string();
  EXPECT_EQ(run("mutate M-130" + kCases + report).status, 0);
  EXPECT_EQ(run("mutate M-131 --resume" + kCases + report).status, 0);
  const auto json = parse_json(contents(directory.path() / "mutants.json"), "mutants.json");
  EXPECT_EQ(json["precision"].get<std::string>(), "f32");
  EXPECT_GE(json["mutants"].array().size(), 2U);
  const auto other = run("mutate M-130 --resume --precision bf16" + kCases + report);
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.text, HasSubstr("got a table in f32, expected bf16"));
}

TEST(MutateCommand, HonestRunsGoOnWhereTheyStopped) {
  const TestDirectory directory;
  const std::string report = " --report " + directory.path().string();
  const auto two = run("mutate --innocent 2" + kCases + report);
  EXPECT_EQ(two.status, 0) << two.text;
  EXPECT_THAT(two.text, HasSubstr("2 honest runs on 1 case, 2 to do: about"));
  const auto three = run("mutate --innocent 3 --resume" + kCases + report);
  EXPECT_THAT(three.text, HasSubstr("3 honest runs on 1 case, 1 to do"));
  EXPECT_THAT(three.text, HasSubstr("3 honest runs, 0 refused"));
  const std::string lines = contents(directory.path() / "innocent.jsonl");
  EXPECT_EQ(std::ranges::count(lines, '\n'), 3);
  std::ofstream(directory.path() / "innocent.jsonl") << "{\"precision\": \"f32\"}\n";
  const auto torn = run("mutate --innocent 3 --resume" + kCases + report);
  EXPECT_EQ(torn.status, 2);
  EXPECT_THAT(torn.text, HasSubstr("innocent.jsonl:1: "));
}

TEST(MutateCommand, HonestRunsNeedNoGolden) {
  const auto outcome = run("mutate --innocent 2 --tokens 5 --checkpoint " + source_dir() +
                           "/golden/checkpoints/26b-tiny");
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("2 honest runs, 0 refused"));
}

TEST(MutateCommand, FailsWhereAMutantChangesNothing) {
  const auto outcome = run("mutate M-30" + kCases);  // a model without per-layer inputs
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("1 change nothing here"));
}

TEST(MutateCommand, RefusesPatternsThatMatchNothing) {
  EXPECT_THAT(run("mutate M-nothing").text, HasSubstr("expected a pattern that some mutant's"));
  EXPECT_EQ(run("mutate M-130 --case nothing").status, 2);
}

}  // namespace
}  // namespace assay::program
