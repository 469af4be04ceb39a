// SPDX-License-Identifier: Apache-2.0
// Taps of media items in the judge: their rows are not tokens, their sizes are not the prompt's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/compare/blame.h"
#include "conformance/compare/chained.h"
#include "conformance/compare/replay.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;

// One image of two patches, one soft token, three tokens of text; each step halves and adds one.
class Image : public Implementation {
 public:
  explicit Image(std::size_t patches = 2, std::string wrong = {})
      : patches_(patches), wrong_(std::move(wrong)) {}

  Capabilities capabilities() const override { return {"image", "f64", true, false, false}; }
  Status load(const std::string&, const std::string&) override { return {}; }
  Status run(const CaseInput& input, const RunOptions&, TapListener& taps) override {
    const double size = 48 * static_cast<double>(patches_);
    show(taps, {"media.0.image.target_size", {2}, {48, size}, true});
    std::vector<double> x(patches_, 8);
    for (const char* name : {"media.0.image.patches", "media.0.vision.layer.0.out",
                             "media.0.vision.layer.1.out", "media.0.vision.pool"}) {
      x = step(taps, name, x);
    }
    std::vector<double> rows(input.ids.size(), 2);
    rows[1] = x[0];
    for (const char* name : {"text.embed", "text.layer.0.out", "text.logits"}) {
      rows = step(taps, name, rows);
    }
    return {};
  }

 private:
  static std::vector<double> show(TapListener& taps, Tap tap) {
    if (taps.wants(tap.name)) {
      hand_over(taps, tap);
    }
    return tap.values;
  }

  std::vector<double> step(TapListener& taps, const std::string& name, std::vector<double> x) {
    for (double& value : x) {
      value = value / 2 + (name == wrong_ ? 1.5 : 1);
    }
    const std::size_t rows = x.size();
    return show(taps, {name, {rows, 1}, std::move(x), false});
  }

  std::size_t patches_;
  std::string wrong_;
};

// The front end of an audio: frames, magnitudes of two bins and their filters, as a program has it
// that computes in fp32 and rounds its dump, or that rounds as it goes.
class FrontEnd : public Implementation {
 public:
  explicit FrontEnd(double filter, bool rounds = false) : filter_(filter), rounds_(rounds) {}

  Capabilities capabilities() const override { return {"front end", "f64", true, false, false}; }
  Status load(const std::string&, const std::string&) override { return {}; }
  Status run(const CaseInput&, const RunOptions&, TapListener& taps) override {
    std::vector<double> magnitude(kFrames * 2);
    for (std::size_t i = 0; i < magnitude.size(); ++i) {
      magnitude[i] = 1 + static_cast<double>(i * 7919 % 1009) / 1009;
    }
    magnitude = show(taps, "media.0.audio.magnitude", std::move(magnitude));
    std::vector<double> filtered(kFrames * 2);
    for (std::size_t t = 0; t < kFrames; ++t) {
      filtered[2 * t] = filter_ * magnitude[2 * t] + (1 - filter_) * magnitude[2 * t + 1];
      filtered[2 * t + 1] = magnitude[2 * t];
    }
    show(taps, "media.0.audio.mel_linear", std::move(filtered));
    return {};
  }

 private:
  static constexpr std::size_t kFrames = 500;

  std::vector<double> show(TapListener& taps, const char* name, std::vector<double> values) const {
    Tap tap{name, {kFrames, 2}, std::move(values), false};
    if (rounds_) {
      for (double& value : tap.values) {
        value = round_to_class(value, *find_precision("bf16"));
      }
    }
    if (taps.wants(name)) {
      hand_over(taps, tap);
    }
    return tap.values;
  }

  double filter_;
  bool rounds_;
};

constexpr double kFilter = 0.7;

CaseInput prompt() {
  CaseInput input;
  input.ids = {2, 9, 5};
  input.token_types = {0, 1, 0};
  return input;
}

TapSet dump_of(Implementation&& implementation) {
  CollectingListener listener;
  EXPECT_TRUE(implementation.run(prompt(), {}, listener).ok());
  return std::move(listener.taps());
}

CaseResult replay_in_bf16(FrontEnd&& program) {
  const PrecisionClass& bf16 = *find_precision("bf16");
  TapSet dump = dump_of(std::move(program));
  Floors floors(bf16);
  for (const std::string& name : dump.names()) {
    for (double& value : dump.find(name)->values) {
      value = round_to_class(value, bf16);
    }
    floors.raise_roundings(name, {.count = 1});
  }
  FrontEnd f64(kFilter);
  return replay(f64, prompt(), dump, floors);
}

CaseResult replay_of(const TapSet& dump) {
  Image f64;
  return replay(f64, prompt(), dump, Floors(*find_precision("f64")));
}

TEST(MediaReplay, AnHonestDumpPasses) {
  const CaseResult result = replay_of(dump_of(Image()));
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_EQ(result.taps.size(), 8u);
}

TEST(MediaReplay, NamesTheLayerOfTheEncoder) {
  const CaseResult result = replay_of(dump_of(Image(2, "media.0.vision.layer.1.out")));
  EXPECT_THAT(result.introduced_by, ElementsAre("media.0.vision.layer.1.out"));
}

TEST(MediaReplay, BlameComesInTheOrderOfTheRun) {
  Image f64;
  const Golden golden = golden_from_run(f64, prompt(), {});
  const TapSet dump = dump_of(Image(2, "media.0.vision.layer.1.out"));
  Floors floors(*find_precision("f64"));
  for (const Tap& tap : golden.truth) {
    floors.raise_chained(tap.name, measure(tap, tap.values));
  }
  CaseResult result = compare_chained(golden, dump, floors);
  blame(result, nullptr);
  EXPECT_THAT(result.introduced_by, ElementsAre("media.0.vision.layer.1.out"));
  EXPECT_THAT(result.inherited,
              ElementsAre("media.0.vision.pool", "text.embed", "text.layer.0.out", "text.logits"));
}

// What follows from another size is not a mistake of its own, and the text is judged by itself.
TEST(MediaReplay, AnImageOfAnotherSizeIsNamedOnce) {
  const CaseResult result = replay_of(dump_of(Image(3)));
  EXPECT_THAT(result.introduced_by, ElementsAre("media.0.image.target_size"));
  EXPECT_THAT(result.inherited, ElementsAre("media.0.image.patches", "media.0.vision.layer.0.out",
                                            "media.0.vision.layer.1.out", "media.0.vision.pool"));
}

TEST(MediaReplay, ABadValueIsNamedOnce) {
  TapSet dump = dump_of(Image());
  for (const char* name : {"media.0.vision.layer.0.out", "media.0.vision.layer.1.out"}) {
    dump.find(name)->values[1] = std::nan("");
  }
  const CaseResult result = replay_of(dump);
  EXPECT_THAT(result.introduced_by, ElementsAre("media.0.vision.layer.0.out"));
  EXPECT_THAT(result.inherited, ElementsAre("media.0.vision.layer.1.out"));
}

TEST(MediaReplay, BytesAreTakenOverAndSizesAreNot) {
  CaseInput input = prompt();
  TapSet dump;
  dump.add({"media.0.image.resized", {1, 1, 3}, {255, 0, 7}, true});
  dump.add({"media.0.image.num_soft_tokens", {1}, {1}, true});
  ReplayListener listener(dump, input, HUGE_VAL);
  Tap resized{"media.0.image.resized", {1, 1, 3}, {3, 0, 7}, true};
  hand_over(listener, resized);
  EXPECT_THAT(resized.values, ElementsAre(255, 0, 7));
  Tap count{"media.0.image.num_soft_tokens", {1}, {2}, true};
  hand_over(listener, count);
  EXPECT_THAT(count.values, ElementsAre(2));
  EXPECT_EQ(listener.finish().size(), 2u);
}

TEST(MediaReplay, PaddingOfThePromptIsNotPaddingOfAnImage) {
  const std::vector<char> padding = {1, 0};
  ComparisonContext context;
  context.padding = &padding;
  const Tap truth{"media.0.vision.pool", {2, 1}, {1, 2}, false};
  const Tap got{"media.0.vision.pool", {2, 1}, {5, 2}, false};
  EXPECT_EQ(compare_tap(truth, got, context).errors.max_abs, 4);
  const Tap text_truth{"text.embed", {2, 1}, {1, 2}, false};
  const Tap text_got{"text.embed", {2, 1}, {5, 2}, false};
  EXPECT_EQ(compare_tap(text_truth, text_got, context).errors.max_abs, 0);
}

// What came before was rounded for the dump alone, or is what the program went on from.
TEST(MediaReplay, AFrontEndMayRoundAsItGoesOrNot) {
  EXPECT_EQ(replay_in_bf16(FrontEnd(kFilter)).verdict, Verdict::kPass);
  EXPECT_EQ(replay_in_bf16(FrontEnd(kFilter, true)).verdict, Verdict::kPass);
}

// Half a percent off, which is less than bf16 has between two numbers.
TEST(MediaReplay, AFilterThatIsSlightlyOffShowsInItsRoundings) {
  for (const bool rounds : {false, true}) {
    const CaseResult result = replay_in_bf16(FrontEnd(kFilter + 0.01, rounds));
    EXPECT_THAT(result.introduced_by, ElementsAre("media.0.audio.mel_linear"));
    EXPECT_EQ(result.taps.back().code, "ROUNDING");
  }
}

}  // namespace
}  // namespace assay::conformance
