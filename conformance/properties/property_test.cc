// SPDX-License-Identifier: Apache-2.0
// What becomes of a property whose needs are not met, whose run fails, or which finds something.
#include "conformance/properties/property.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "conformance/doors/registry.h"
#include "conformance/properties/prompts.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

const std::string kCheckpoint = source_dir() + "/golden/checkpoints/e2b-tiny";

// The float reference with something changed.
class Changed : public Implementation {
 public:
  explicit Changed(const std::string& precision = "f32")
      : inner_(find_implementation("reference")->make(precision)) {}

  Capabilities capabilities() const override {
    auto can = inner_->capabilities();
    can.chunked_prefill = chunks;
    can.shows = shows;
    return can;
  }
  Status load(const std::string& checkpoint, const std::string& drafter) override {
    loaded = checkpoint;
    return refuses_to_load ? Status{StatusCode::kNotSupported, "no such format"}
                           : inner_->load(checkpoint, drafter);
  }
  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override {
    ++runs;
    if (!status.ok() && runs > 1) {  // the first run is make_subject's
      return status;
    }
    Filter filter(taps, *this);
    return inner_->run(input, options, filter);
  }

  bool chunks = true;
  bool refuses_to_load = false;
  std::function<bool(const std::string&)> shows;  // as it declares
  Status status;
  std::string left_out = "none";  // taps that end so are not shown
  std::string unsteady = "none";  // the last value of taps that end so differs from run to run
  std::string loaded;
  int runs = 0;

 private:
  class Filter : public TapListener {
   public:
    Filter(TapListener& suite, Changed& changed) : suite_(suite), changed_(changed) {}
    bool wants(const std::string& name) const override {
      return !name.ends_with(changed_.left_out) && suite_.wants(name);
    }
    void on_tap(const TensorView& view) override {
      Tap tap = to_tap(view);
      if (tap.name.ends_with(changed_.unsteady)) {
        tap.values.back() += changed_.runs;
      }
      hand_over(suite_, tap);
    }

   private:
    TapListener& suite_;
    Changed& changed_;
  };

  std::unique_ptr<Implementation> inner_;
};

const Property& property_named(const std::string& title) {
  const auto found = std::ranges::find(properties(), title, title_of);
  EXPECT_NE(found, properties().end()) << title;
  return *found;
}

std::shared_ptr<Yardstick> yardstick() {
  static const auto f32 = std::make_shared<Yardstick>(
      oracle_entry().make("f64"), oracle_entry().make("f32"), *find_precision("f32"), "REF");
  return f32;
}

PropertyResult run(const std::string& title, Changed& changed,
                   const std::string& checkpoint = kCheckpoint) {
  Subject subject = make_subject(changed, checkpoint, yardstick());
  return run_property(property_named(title), subject);
}

TEST(RunProperty, PassesWithChecks) {
  Changed right;
  const auto result = run("I-2 the future is unseen", right);
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_GT(result.checks, 100u);
  EXPECT_EQ(result.failed, 0u);
  EXPECT_TRUE(result.message.empty());
}

TEST(RunProperty, FailsWithWhatWasFound) {
  Changed wrong;
  wrong.unsteady = "layer.1.out";
  const auto result = run("runs repeat", wrong);
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.failed, 2u);  // at once and in chunks
  ASSERT_EQ(result.failures.size(), 2u);
  EXPECT_EQ(result.failures[0], "text.layer.1.out: got other bits the second time");
  EXPECT_EQ(result.message, result.failures[0]);
}

TEST(RunProperty, AMissingCapabilityIsNoFailure) {
  Changed whole_only;
  whole_only.chunks = false;
  const auto result = run("I-1 any chunking", whole_only);
  EXPECT_EQ(result.verdict, Verdict::kNotSupported);
  EXPECT_EQ(result.message, "needs an implementation that takes a prompt in chunks");
  EXPECT_EQ(whole_only.runs, 1);
  const auto repeated = run("runs repeat", whole_only);  // at once only
  EXPECT_EQ(repeated.verdict, Verdict::kPass);
}

TEST(RunProperty, AnotherKindOfModelIsNoFailure) {
  Changed right;
  EXPECT_EQ(run("I-7 experts under other numbers", right).message, "needs a model with experts");
  EXPECT_EQ(run("I-8 values are raw keys", right).message,
            "needs a model with layers whose values are the raw keys");
  EXPECT_EQ(run("every tap of the catalogue: media", right).message,
            "needs a checkpoint with encoders");
}

TEST(RunProperty, AMissingTapIsNoFailure) {
  Changed partial;
  partial.left_out = ".logits_raw";
  const auto result = run("I-9 the cap keeps the choice", partial);
  EXPECT_EQ(result.verdict, Verdict::kNotSupported);
  EXPECT_EQ(result.message, "needs the tap text.logits_raw, which was not given");
}

TEST(RunProperty, TheCatalogueTellsOptionalTapsFromOthers) {
  Changed partial;
  partial.left_out = "text.embed_rows";
  const auto optional = run("every tap of the catalogue: text", partial);
  EXPECT_EQ(optional.verdict, Verdict::kNotSupported);
  EXPECT_EQ(optional.message, "1 optional taps are not given, the first text.embed_rows");
  partial.left_out = "text.logits";
  const auto mandatory = run("every tap of the catalogue: text", partial);
  EXPECT_EQ(mandatory.verdict, Verdict::kFail);
  EXPECT_EQ(mandatory.message, "text.logits: got no such tap, expected it");
}

// A tap that is declared as never shown is told as such, also a mandatory one; declared and shown
// all the same, it is a lie.
TEST(RunProperty, TheCatalogueNamesWhatIsNeverShown) {
  const std::string title = "every tap of the catalogue: text";
  Changed fused;
  fused.left_out = "attn.probs";
  EXPECT_EQ(run(title, fused).verdict, Verdict::kFail);
  fused.shows = [](const std::string& tap) { return !tap.ends_with("attn.probs"); };
  const auto told = run(title, fused);
  EXPECT_EQ(told.verdict, Verdict::kNotSupported);
  EXPECT_EQ(told.message, "not shown: 7 taps of text.layer.{i}.attn.probs");
  EXPECT_GT(told.checks, 100);
  fused.left_out = "attn.scores";
  const auto other = run(title, fused);
  EXPECT_EQ(other.verdict, Verdict::kFail);
  EXPECT_EQ(other.failed, 14);
  fused.left_out = "none";
  const auto lie = run(title, fused);
  EXPECT_EQ(lie.verdict, Verdict::kFail);
  EXPECT_EQ(lie.message,
            "text.layer.0.attn.probs: got a tap that was declared as never shown, expected none");
}

TEST(RunProperty, StatusesBecomeVerdicts) {
  const auto with = [](StatusCode code) {
    Changed failing;
    failing.status = {code, "why"};
    return run("I-4 left padding", failing);
  };
  EXPECT_EQ(with(StatusCode::kNotSupported).verdict, Verdict::kNotSupported);
  EXPECT_EQ(with(StatusCode::kNotSupported).message, "why");
  EXPECT_EQ(with(StatusCode::kBadInput).verdict, Verdict::kFail);
  EXPECT_EQ(with(StatusCode::kBadInput).message, "refused: why");
  EXPECT_EQ(with(StatusCode::kResourceError).verdict, Verdict::kResourceError);
  EXPECT_EQ(with(StatusCode::kHarnessError).verdict, Verdict::kHarnessError);
}

TEST(RunProperty, NothingToCheckIsNotAPass) {
  Changed silent;
  silent.left_out = "";  // every tap
  const auto result = run("runs repeat", silent);
  EXPECT_EQ(result.verdict, Verdict::kNotSupported);
  EXPECT_EQ(result.message, "needs taps, and none was given");
}

TEST(RunProperty, BringsTheCheckpointBack) {
  Changed right;
  EXPECT_EQ(run("I-6 eps shows a little", right).verdict, Verdict::kPass);
  EXPECT_EQ(right.loaded, kCheckpoint);
}

TEST(MakeSubject, StopsWhenTheCheckpointCannotBeLoaded) {
  Changed refusing;
  refusing.refuses_to_load = true;
  try {
    make_subject(refusing, kCheckpoint, yardstick());
    FAIL();
  } catch (const Stopped& stopped) {
    EXPECT_EQ(stopped.verdict(), Verdict::kNotSupported);
    EXPECT_STREQ(stopped.what(), "no such format");
  }
}

TEST(Findings, KeepTheFirstFew) {
  Findings findings;
  for (int i = 0; i < 20; ++i) {
    findings.expect(i % 2 == 0, [i] { return "check " + std::to_string(i); });
  }
  EXPECT_EQ(findings.checks(), 20u);
  EXPECT_EQ(findings.failed(), 10u);
  EXPECT_EQ(findings.first().size(), 8u);
  EXPECT_EQ(findings.first()[0], "check 1");
  EXPECT_EQ(at_most(0.25, 5e-5), "got 0.25, expected at most 5e-05");
}

}  // namespace
}  // namespace assay::conformance
