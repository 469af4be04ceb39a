// SPDX-License-Identifier: Apache-2.0
// assay verify --properties, on the reference and on an implementation that is wrong in chunks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "conformance/doors/registry.h"
#include "conformance/program/program.h"
#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using conformance::Implementation;
using conformance::Status;
using conformance::TapListener;
using testing::HasSubstr;

const std::string kCheckpoint = source_dir() + "/golden/checkpoints/e2b-tiny";

// Forgets the first token of a prompt that comes in chunks, and takes no media.
class ForgetfulInChunks : public Implementation {
 public:
  ForgetfulInChunks() : inner_(conformance::find_implementation("reference")->make("f32")) {}

  conformance::Capabilities capabilities() const override {
    auto can = inner_->capabilities();
    can.name = "forgetful";
    return can;
  }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return inner_->load(checkpoint, drafter);
  }
  Status run(const conformance::CaseInput& input, const conformance::RunOptions& options,
             TapListener& taps) override {
    if (!input.media.empty()) {
      return {conformance::StatusCode::kNotSupported, "no media"};
    }
    auto other = input;
    if (options.prefill_chunk > 0) {
      other.ids[0] = 45;
    }
    return inner_->run(other, options, taps);
  }

 private:
  std::unique_ptr<Implementation> inner_;
};

struct Tried {
  int status = -1;
  std::string text;  // standard output
  Json cases;
};

Tried verify(const std::vector<std::string>& more) {
  if (conformance::find_implementation("forgetful") == nullptr) {
    conformance::ImplementationEntry entry;
    entry.name = "forgetful";
    entry.precisions = {"f32"};
    entry.make = [](const std::string&) { return std::make_unique<ForgetfulInChunks>(); };
    conformance::register_implementation(entry);
  }
  const TestDirectory directory;
  std::vector<std::string> words = {"assay", "verify", "--report", directory.path().string()};
  words.insert(words.end(), more.begin(), more.end());
  testing::internal::CaptureStdout();
  Tried tried;
  tried.status = run_program(words);
  tried.text = testing::internal::GetCapturedStdout();
  tried.cases = parse_json(contents(directory.path() / "report.json"), "report.json")["cases"];
  return tried;
}

TEST(Properties, OfTheReferenceHold) {
  const Tried tried = verify({"--properties", "--case", "e2b-media-tiny/*", "--precision", "f32",
                              "--golden", source_dir() + "/golden/cases/e2b-tiny"});
  EXPECT_EQ(tried.status, 0) << tried.text;
  EXPECT_GT(tried.cases.size(), 10);
  std::size_t passed = 0;
  for (const Json& each : tried.cases) {
    EXPECT_EQ(each["mode"], "property");
    EXPECT_EQ(each["impl"], "reference");
    EXPECT_EQ(each["checkpoint"], "e2b-media-tiny");
    EXPECT_EQ(each["failed_checks"], 0);
    EXPECT_EQ(each["taps"].size(), 0u);
    if (each["verdict"] == "pass") {
      EXPECT_GT(each["checks"].get<int>(), 0);
      ++passed;
    } else {
      EXPECT_EQ(each["verdict"], "not_supported");
      EXPECT_THAT(each["message"].get<std::string>(), HasSubstr("needs "));
    }
  }
  EXPECT_EQ(tried.cases.size() - passed, 2);  // experts; raw keys as values
  EXPECT_THAT(tried.text, HasSubstr("PASS  reference f32 property  e2b-media-tiny/I-1 any chunk"));
  EXPECT_THAT(tried.text, HasSubstr("SKIP  reference f32 property  e2b-media-tiny/I-7 experts"));
}

TEST(Properties, AreTriedOnlyWhenAskedFor) {
  const Tried without = verify({"--case", "e2b-tiny/text-short"});
  for (const Json& each : without.cases) {
    EXPECT_NE(each["mode"], "property");
    EXPECT_FALSE(each.contains("checks"));
  }
  const Tried with = verify({"--properties", "--checkpoint", kCheckpoint, "--precision", "f32"});
  EXPECT_EQ(with.cases[0]["case"], "own/text-16");
  EXPECT_EQ(with.cases[0]["mode"], "chained");
  EXPECT_EQ(with.cases[1]["mode"], "property");
}

Tried forgetful(const std::string& pattern) {
  const Tried tried = verify(
      {"--properties", "--impl", "forgetful", "--checkpoint", kCheckpoint, "--case", pattern});
  EXPECT_EQ(tried.cases.size(), 2) << tried.text;
  return tried;
}

TEST(Properties, AWrongImplementationFails) {
  const Tried tried = forgetful("I-1 *");
  EXPECT_EQ(tried.status, 1);
  EXPECT_EQ(tried.cases[0]["case"], "I-1 any chunking");
  EXPECT_EQ(tried.cases[0]["verdict"], "fail");
  EXPECT_GT(tried.cases[0]["failed_checks"].get<int>(), 0);
  EXPECT_THAT(tried.cases[0]["failures"][0].get<std::string>(), HasSubstr("text in chunks of 1"));
  EXPECT_THAT(tried.cases[0]["reproduce"].get<std::string>(),
              HasSubstr("--properties --impl forgetful"));
  EXPECT_EQ(tried.cases[1]["case"], "I-1 another token is seen");
  EXPECT_EQ(tried.cases[1]["verdict"], "pass");
  EXPECT_THAT(tried.text, HasSubstr("FAIL  forgetful f32 property  e2b-tiny/I-1 any chunking"));
}

TEST(Properties, WhatAnImplementationLacksIsNotItsFailure) {
  const Tried tried = forgetful("I-2*");
  EXPECT_EQ(tried.status, 0);
  EXPECT_EQ(tried.cases[0]["case"], "I-2 the future is unseen");
  EXPECT_EQ(tried.cases[0]["verdict"], "pass");
  EXPECT_EQ(tried.cases[1]["case"], "I-2 blocks see themselves only");
  EXPECT_EQ(tried.cases[1]["verdict"], "not_supported");
  EXPECT_EQ(tried.cases[1]["message"], "needs an implementation that takes soft-token embeddings");
}

}  // namespace
}  // namespace assay::program
