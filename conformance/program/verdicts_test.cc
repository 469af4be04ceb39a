// SPDX-License-Identifier: Apache-2.0
// Dumps of published packages on committed checkpoints, right but for one thing each, and dumps
// made by hand: what is said of them, through the program. golden/README.md lists the packages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "conformance/compare/precision.h"
#include "conformance/records/dump.h"
#include "conformance/records/golden.h"
#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using conformance::Tap;
using conformance::TapSet;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kGolden = source_dir() + "/golden/";

class Verdicts : public testing::Test {
 protected:
  Outcome compare(const std::string& of, const std::string& dump,
                  const std::string& options = "") const {
    return run("compare " + kGolden + "cases/" + of + ".h5 " + dump + " --report " +
               report().string() + " " + options);
  }
  static std::string package(const std::string& name) {
    return kGolden + "dumps/" + name + ".safetensors";
  }
  std::filesystem::path report() const { return folder_.path() / "report"; }
  Json first_case() const {
    return parse_json(contents(report() / "report.json"), "report.json")["cases"][0];
  }
  std::string write(const TapSet& taps) const {
    const std::string path = (folder_.path() / "mine.h5").string();
    conformance::write_dump(path, taps, {});
    return path;
  }
  static TapSet truth(const std::string& of) {
    return conformance::read_golden(kGolden + "cases/" + of + ".h5").truth;
  }

  const TestDirectory folder_;
};

TapSet only(const TapSet& taps, const std::string& name) {
  TapSet some;
  some.add(taps.at(name));
  return some;
}

TEST_F(Verdicts, ZerosAndAWrongRouterDoNotPassInSixteenBits) {
  TapSet zeros = only(truth("26b-tiny/text-long"), "text.logits");
  std::ranges::fill(zeros.find("text.logits")->values, 0.0);
  const std::string dump = write(zeros);
  for (const std::string precision : {"bf16", "f16", "tf32"}) {
    const std::string options = "--precision " + precision;
    const Outcome outcome = compare("26b-tiny/text-long", dump, options);
    EXPECT_EQ(outcome.status, 1) << precision;
    // A mistake after which nothing is compared explains nothing.
    EXPECT_THAT(outcome.text, Not(HasSubstr("diagnosis"))) << precision;
    EXPECT_EQ(compare("26b-tiny/text-long", package("gemma4-pt-claude-26b-logits"), options).status,
              1);
    EXPECT_EQ(first_case()["coverage"]["kinds_known"], 56);
  }
}

TEST_F(Verdicts, AnotherCheckpointIsBadInputAndNoFailingPort) {
  const std::string dump = write(truth("31b-tiny/text-long"));
  const Outcome outcome =
      compare("31b-tiny/text-long", dump, "--checkpoint " + kGolden + "checkpoints/31b-media-tiny");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("whose fp64 run is not the truth of text-long.h5"),
                                  HasSubstr("expected 31b-tiny"), Not(HasSubstr("FAIL"))));
}

TEST_F(Verdicts, RowsFromTheWindowOnAreToldFromTheLogits) {
  const Outcome outcome = compare("31b-tiny/text-long", package("ctranslate2-31b-logits"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("rows 4-10 of 11, from the window's width on"));
  EXPECT_EQ(first_case()["rows"]["wrong"], 7);
  EXPECT_EQ(first_case()["rows"]["of"], 11);
}

TEST_F(Verdicts, AFoldedFactorIsAConstantRatioAndNotTheNextTapsFault) {
  const Outcome outcome = compare("e2b-tiny/text-long", package("gemma4-pytorch-codex-e2b-ple"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(
      outcome.text,
      AllOf(HasSubstr("introduced  text.ple.proj"), HasSubstr("got = want / 6, a constant ratio"),
            HasSubstr("not the value that was used: text.ple.ctx, which comes from it"),
            Not(HasSubstr("diagnosis"))));  // what is wrong is the dump
  const Json introduced = first_case()["introduced_by"];
  ASSERT_EQ(introduced.size(), 1u);
  EXPECT_EQ(introduced[0], "text.ple.proj");
}

TEST_F(Verdicts, VisionBlocksOnFullLayersAreAProfile) {
  const Outcome outcome = compare("31b-tiny/soft-long", package("gemma4-pt-claude-31b-soft"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("this is text.vision_mask=all_layers_clamped "
                                      "(gemma4-pt-claude; DIV-M17)"));
  EXPECT_EQ(compare("31b-tiny/soft-long", package("gemma4-pt-claude-31b-soft"),
                    "--profile text.vision_mask=all_layers_clamped")
                .status,
            0);
}

// Its error is below three units roundoff of bf16: only the roundings show it.
TEST_F(Verdicts, ErfGeluInOneLayerShowsInSixteenBits) {
  const Outcome outcome = compare("12b-tiny/text-long", package("transformers-12b-bf16-erf"),
                                  "--precision bf16 --diagnosis 60");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text,
              AllOf(HasSubstr("introduced  text.layer.1.ffn.mul  ROUNDING"),
                    HasSubstr("9.1 % of the elements are rounded to another bf16 number"),
                    HasSubstr("this is M-101"), Not(HasSubstr("limit 4"))));
  const Json replay = parse_json(contents(report() / "report.json"), "report.json")["cases"][1];
  ASSERT_EQ(replay["introduced_by"].size(), 1u);
  int judged = 0;
  for (const Json& tap : replay["taps"].array()) {
    if (!tap.contains("roundings")) {
      continue;  // a step over all of a layer
    }
    ++judged;
    const bool wrong = tap["tap"] == "text.layer.1.ffn.mul";
    EXPECT_EQ(tap["roundings"]["differing"].get<double>() > tap["roundings"]["limit"].get<double>(),
              wrong);
  }
  EXPECT_GE(judged, 8);
}

// Numbers one apart in a fifth of the elements of every tap: no mistake of one step does that.
TEST_F(Verdicts, AProgramThatRoundsAtPointsOfItsOwnDoesNotFail) {
  const auto& bf16 = *conformance::find_precision("bf16");
  const TapSet right = conformance::read_dump(package("transformers-12b-bf16-erf")).taps;
  TapSet moved = right;
  for (const std::string& name : moved.names()) {
    std::vector<double>& values = moved.find(name)->values;
    for (std::size_t i = 0; i < values.size(); i += 5) {
      values[i] += (i % 2 == 0 ? 1 : -1) * conformance::spacing_of_class(values[i], bf16);
    }
  }
  const Outcome outcome = compare("12b-tiny/text-long", write(moved), "--precision bf16");
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("rounds at points of its own"));
  EXPECT_EQ(compare("12b-tiny/text-long", package("transformers-12b-bf16-erf"),
                    "--precision bf16 --own-roundings")
                .status,
            0);
}

TEST_F(Verdicts, AnotherPromptIsToldByItsEmbeddings) {
  const Outcome outcome = compare("31b-tiny/draft-hf", write(truth("31b-tiny/text-long")),
                                  "--mode replay --only 'text.*'");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("the embeddings of another prompt: ids"));
}

TEST_F(Verdicts, AnOverwrittenBufferIsNotTheNextTapsFault) {
  TapSet taps = truth("31b-tiny/text-long");
  for (int layer = 0; layer < 7; ++layer) {
    const std::string prefix = "text.layer." + std::to_string(layer) + ".";
    taps.find(prefix + "attn.residual")->values = taps.at(prefix + "out").values;
  }
  const Outcome outcome = compare("31b-tiny/text-long", write(taps));
  EXPECT_EQ(outcome.status, 1);
  const Json introduced = first_case()["introduced_by"];
  ASSERT_EQ(introduced.size(), 7u);
  EXPECT_EQ(introduced[6], "text.layer.6.attn.residual");
  EXPECT_THAT(outcome.text, HasSubstr("not the value that was used: text.layer."));
}

TEST_F(Verdicts, PaddedRowsAndALostFirstIdAreJudgedAsWhatTheyAre) {
  TapSet padded;
  for (const char* name : {"text.embed", "text.layer.6.out", "text.logits"}) {
    Tap tap = truth("31b-tiny/text-long").at(name);
    const std::size_t width = tap.values.size() / tap.shape[0];
    tap.shape[0] += 3;
    tap.values.insert(tap.values.begin(), 3 * width, 0.25);
    padded.add(tap);
  }
  const Outcome left = compare("31b-tiny/text-long", write(padded), "--mode chained");
  EXPECT_EQ(left.status, 0) << left.text;
  EXPECT_THAT(left.text, HasSubstr("holds 14 rows, of which the last 11 are the case's"));
}

}  // namespace
}  // namespace assay::program
