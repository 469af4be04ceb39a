// SPDX-License-Identifier: Apache-2.0
// A second implementation, registered here and wrong on purpose, judged by the program as it is.
//
// It is the float reference on a copy of the checkpoint in which the weights of one norm are twice
// what they should be, and it drops the first id of what it tokenizes.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "conformance/doors/registry.h"
#include "conformance/program/program.h"
#include "conformance/properties/checkpoint_copy.h"
#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using conformance::CaseInput;
using conformance::CheckpointCopy;
using conformance::Implementation;
using conformance::ImplementationEntry;
using conformance::Status;
using conformance::TapListener;
using conformance::TensorView;

constexpr const char* kText = "language_model.layers.1.post_attention_layernorm.weight";
constexpr const char* kVision = "vision_tower.encoder.layers.1.post_attention_layernorm.weight";
constexpr const char* kIds = "tok.8.ids";  // of "Hello world"
constexpr const char* kDrafter = "model.layers.1.post_attention_layernorm.weight";

std::string g_wrong_norm;  // NOLINT: the factory of an entry takes the precision alone

std::unique_ptr<CheckpointCopy> with_wrong_norm(const std::string& checkpoint) {
  return std::make_unique<CheckpointCopy>(
      checkpoint, "",
      [](const std::string& name, const std::vector<std::size_t>&, std::vector<float>& values) {
        if (name == g_wrong_norm || name.ends_with("." + g_wrong_norm)) {
          std::ranges::for_each(values, [](float& value) { value *= 2; });
        }
      });
}

// Changes a tap on its way to the suite.
class DroppedId : public TapListener {
 public:
  explicit DroppedId(TapListener& suite) : suite_(suite) {}
  bool wants(const std::string& name) const override { return suite_.wants(name); }
  void on_tap(const TensorView& tap) override {
    if (tap.name == kIds) {
      const std::size_t left = tap.elements() - 1;
      suite_.on_tap(
          {tap.name, tap.dtype, {&left, 1}, static_cast<const std::int32_t*>(tap.data) + 1});
    } else {
      suite_.on_tap(tap);
    }
  }

 private:
  TapListener& suite_;
};

class WrongCopy : public Implementation {
 public:
  WrongCopy() : inner_(conformance::find_implementation("reference")->make("f32")) {}

  conformance::Capabilities capabilities() const override {
    auto can = inner_->capabilities();
    can.name = "wrong-copy";
    can.forced_taps = false;
    return can;
  }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    checkpoint_ = with_wrong_norm(checkpoint);
    drafter_ = drafter.empty() ? nullptr : with_wrong_norm(drafter);
    return inner_->load(checkpoint_->path(), drafter_ ? drafter_->path() : "");
  }
  Status run(const CaseInput& input, const conformance::RunOptions& options,
             TapListener& taps) override {
    DroppedId wrong(taps);
    return inner_->run(input, options, wrong);
  }

 private:
  std::unique_ptr<Implementation> inner_;
  std::unique_ptr<CheckpointCopy> checkpoint_;
  std::unique_ptr<CheckpointCopy> drafter_;
};

// Has no memory for prompts of more than one window.
class TooSmall : public WrongCopy {
 public:
  Status run(const CaseInput& input, const conformance::RunOptions& options,
             TapListener& taps) override {
    if (input.ids.size() > 5) {
      return {conformance::StatusCode::kResourceError, "out of memory"};
    }
    return WrongCopy::run(input, options, taps);
  }
};

template <class Candidate>
void register_candidate(const char* name) {
  if (conformance::find_implementation(name) == nullptr) {
    ImplementationEntry entry;
    entry.name = name;
    entry.precisions = {"f32"};
    entry.make = [](const std::string&) { return std::make_unique<Candidate>(); };
    conformance::register_implementation(entry);
  }
}

void register_wrong_copy() {
  register_candidate<WrongCopy>("wrong-copy");
}

// The cases of report.json.
Json judge(const std::string& impl, const std::string& pattern,
           const std::vector<std::string>& more = {}) {
  register_wrong_copy();
  const TestDirectory directory;
  const std::string out = directory.path().string();
  std::vector<std::string> words = {"assay",  "verify", "--impl",   impl,
                                    "--case", pattern,  "--report", out};
  words.insert(words.end(), more.begin(), more.end());
  run_program(words);
  return parse_json(contents(directory.path() / "report.json"), "report.json")["cases"];
}

std::vector<std::string> introduced(const Json& result) {
  return result["introduced_by"].get<std::vector<std::string>>();
}

// Both modes of one case find the same fault.
void expect_found(const std::string& pattern, const std::vector<std::string>& taps,
                  const std::vector<std::string>& more = {}) {
  const Json cases = judge("wrong-copy", pattern, more);
  ASSERT_EQ(cases.size(), 2) << pattern;
  EXPECT_EQ(cases[0]["mode"], "chained");
  EXPECT_EQ(cases[1]["mode"], "replay");
  for (const Json& each : cases) {
    EXPECT_EQ(each["impl"], "wrong-copy");
    EXPECT_EQ(each["verdict"], "fail") << pattern;
    EXPECT_EQ(introduced(each), taps) << pattern;
  }
}

TEST(AnotherImplementation, AWrongNormOfTheTextIsFound) {
  g_wrong_norm = kText;
  for (const auto& chunks : {std::vector<std::string>{}, {"--prefill", "3"}, {"--prefill", "1"}}) {
    expect_found("e2b-tiny/text-long", {"text.layer.1.attn.post_norm"}, chunks);
  }
}

TEST(AnotherImplementation, AWrongNormOfTheVisionEncoderIsFound) {
  g_wrong_norm = kVision;
  for (const auto& chunks : {std::vector<std::string>{}, {"--prefill", "3"}}) {
    expect_found("e2b-media-tiny/vision-full", {"media.0.vision.layer.1.attn_post_norm"}, chunks);
  }
}

TEST(AnotherImplementation, AWrongNormOfTheDrafterIsFound) {
  g_wrong_norm = kDrafter;
  for (const auto& chunks : {std::vector<std::string>{}, {"--prefill", "3"}}) {
    expect_found("e2b-tiny/draft-hf",  // of the third step the golden holds no layers
                 {"mtp.step.0.layer.1.attn.post_norm", "mtp.step.1.layer.1.attn.post_norm",
                  "mtp.step.2.norm"},
                 chunks);
  }
}

TEST(AnotherImplementation, AWrongIdOfTheTokenizerIsFound) {
  for (const auto& chunks : {std::vector<std::string>{}, {"--prefill", "3"}}) {
    expect_found("e2b-chat-tiny/tokenizer", {kIds}, chunks);
  }
}

TEST(AnotherImplementation, TheJudgeIsNotTheCandidate) {
  g_wrong_norm = kText;
  const Json right = judge("reference", "e2b-tiny/text-short");
  ASSERT_EQ(right.size(), 2);  // f32 and f64; the judge is not judged by itself
  for (const Json& each : right) {
    EXPECT_EQ(each["mode"], "chained");
    EXPECT_EQ(each["verdict"], "pass");
  }
}

// Memory that a candidate lacks is its own failure and not the suite's; other cases go on.
TEST(AnotherImplementation, WhatItRunsOutOfIsAResourceError) {
  register_candidate<TooSmall>("too-small");
  g_wrong_norm = "";
  const Json cases = judge("too-small", "e2b-tiny/text-*");
  std::set<std::string> verdicts;
  for (const Json& each : cases) {
    verdicts.insert(each["verdict"].string());
    EXPECT_EQ(each["message"].string() == "out of memory", each["verdict"] == "resource_error");
  }
  EXPECT_EQ(verdicts, (std::set<std::string>{"pass", "resource_error"}));
  EXPECT_EQ(run_program({"assay", "verify", "--impl", "too-small", "--case", "e2b-tiny/text-long"}),
            1);
}

TEST(AnotherImplementation, DumpTakesIt) {
  register_wrong_copy();
  g_wrong_norm = kText;
  const TestDirectory directory;
  const std::string golden = source_dir() + "/golden/";
  const std::string dump = (directory.path() / "dump.h5").string();
  ASSERT_EQ(run_program({"assay", "dump", "--impl", "wrong-copy", "--checkpoint",
                         golden + "checkpoints/e2b-tiny", "--case",
                         golden + "cases/e2b-tiny/text-short.h5", "--out", dump}),
            0);
  EXPECT_EQ(run_program({"assay", "compare", golden + "cases/e2b-tiny/text-short.h5", dump}), 1);
}

TEST(AnotherImplementation, WhatItLacksIsSaidInOneLine) {
  register_wrong_copy();
  register_candidate<TooSmall>("too-small");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_program({"assay", "verify", "--impl", "wrong-copy", "--precision", "f64"}), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "assay: --precision: got 'f64', expected f32 for --impl wrong-copy\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_program({"assay", "run", "--impl", "wrong-copy", "--checkpoint",
                         source_dir() + "/golden/checkpoints/e2b-chat-tiny", "Hello"}),
            2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "assay: --impl: got 'wrong-copy', expected one that answers prompts\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_program({"assay", "verify", "--impl", "other"}), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "assay: --impl: got 'other', expected one that was built: cpu, cuda, reference, "
            "too-small, wrong-copy\n");
}

}  // namespace
}  // namespace assay::program
