// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/which_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/compare/chained.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/profiled.h"
#include "conformance/compare/replay.h"
#include "reference/family/config/profile.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// One audio item and one image of three rows each, four tokens of text. Every switch adds something
// of its own where it is felt; `wrong` adds to a tap.
class Listening : public Implementation {
 public:
  explicit Listening(std::string wrong = {}) : wrong_(std::move(wrong)) {}

  Capabilities capabilities() const override { return {"listening", "f64", true, false, false}; }
  Status load(const std::string&, const std::string&) override { return {}; }
  Status run(const CaseInput&, const RunOptions& options, TapListener& taps) override {
    ++runs;
    const Profile profile = parse_profile(options.profile);
    if (profile.vision_pad_mask != VisionPadMask::kExclude) {
      return {StatusCode::kBadInput, "no padding here"};
    }
    taps_ = &taps;
    x_ = {8, 4, 2};
    step("media.0.audio.frames_windowed", profile.audio_hann == HannPhase::kHalfSample ? 0.5 : 0,
         profile.audio_left_pad == LeftPad::kNone ? 0.25 : 0);
    step("media.0.audio.mel", profile.audio_log_floor == LogFloor::kMax ? 0.125 : 0);
    step("media.0.audio.layer.0.attn.logits",
         profile.audio_window_keys == AudioWindowKeys::k13 ? 0.5 : 0);
    step("media.0.audio.embed.out",
         profile.audio_embed_order == EmbedOrder::kProjectThenNorm ? 0.75 : 0);
    const std::vector<double> audio = x_;
    step("media.1.image.patches", profile.image_resample == ImageResample::kFloat ? 0.5 : 0);
    step("media.1.vision.embed.out");
    x_[0] += audio[0];
    step("text.embed");
    step("text.layer.0.attn.mix", static_cast<double>(profile.text_vision_mask));
    step("text.logits");
    return {};
  }

  std::size_t runs = 0;

 private:
  void step(const std::string& name, double more = 0, double still_more = 0) {
    for (double& value : x_) {
      value = value / 2 + 1 + more + still_more + (name == wrong_ ? 0.3 : 0);
    }
    if (taps_->wants(name)) {
      Tap tap{name, {3, 1}, x_, false};
      hand_over(*taps_, tap);
      x_ = tap.values;
    }
  }

  std::string wrong_;
  TapListener* taps_ = nullptr;
  std::vector<double> x_;
};

Golden golden_under(const std::string& profile) {
  CaseInput input;
  input.ids = {2, 9, 5};
  input.token_types = {3, 1, 0};
  input.media.resize(2);
  Listening f64;
  Profiled judge(f64, profile);
  Golden golden = golden_from_run(judge, input, {});
  golden.profile = profile;
  return golden;
}

TapSet dump_under(const std::string& profile, const std::string& wrong = "") {
  Listening port(wrong);
  Profiled profiled(port, profile);
  CollectingListener listener;
  EXPECT_TRUE(profiled.run({}, {}, listener).ok());
  return std::move(listener.taps());
}

ProfileMatch search(const Golden& golden, const TapSet& dump, bool with_replay = true) {
  Floors floors(*find_precision("f64"));
  for (const Tap& tap : golden.truth) {
    floors.raise_chained(tap.name, measure(tap, tap.values));
  }
  Listening f64;
  Profiled judge(f64, golden.profile);
  const CaseResult judged = with_replay ? replay(judge, golden.input, dump, floors)
                                        : compare_chained(golden, dump, floors);
  return which_profile(f64, {golden, dump, floors, with_replay}, judged);
}

TEST(WhichProfile, NamesTheSwitch) {
  for (const bool with_replay : {true, false}) {
    const auto golden = golden_under("REF");
    const auto match = search(golden, dump_under("audio.window_keys=13"), with_replay);
    EXPECT_EQ(match.profile, "audio.window_keys=13");
    EXPECT_TRUE(match.whole);
    EXPECT_EQ(match.explained.front(), "media.0.audio.layer.0.attn.logits");
    EXPECT_EQ(describe_match(match, "REF"),
              "this is audio.window_keys=13 (JAX, MLX, mistral.rs; DIV-M04), not a Gemma 4 of the "
              "reference profile");
  }
}

TEST(WhichProfile, NamesEverySwitchOfTheText) {
  for (const char* profile :
       {"text.vision_mask=sliding_past_clamped", "text.vision_mask=sliding_unclamped",
        "text.vision_mask=all_layers", "image.resample=float", "audio.embed_order=proj_norm",
        "audio.hann=half_sample", "audio.left_pad=0", "audio.log_floor=max"}) {
    EXPECT_EQ(search(golden_under("REF"), dump_under(profile)).profile, profile);
  }
}

// Switches that are felt at places of their own are found one by one.
TEST(WhichProfile, NamesSeveralSwitches) {
  const std::string profile =
      "audio.embed_order=proj_norm,audio.log_floor=max,image.resample=float";
  for (const bool with_replay : {true, false}) {
    const auto match = search(golden_under("REF"), dump_under(profile), with_replay);
    if (with_replay) {
      EXPECT_EQ(match.profile, profile);
      EXPECT_TRUE(match.whole);
      EXPECT_EQ(match.changes.size(), 3u);
      EXPECT_EQ(match.changes[1].who, "llama.cpp");
    }
  }
}

// At one tap, neither of the two alone takes the failure away.
TEST(WhichProfile, NamesTwoSwitchesOfOneTap) {
  const std::string profile = "audio.hann=half_sample,audio.left_pad=0";
  const auto match = search(golden_under("REF"), dump_under(profile));
  EXPECT_EQ(match.profile, profile);
  EXPECT_EQ(describe_match(match, "REF"),
            "this is audio.hann=half_sample (JAX; DIV-M05) with audio.left_pad=0 (JAX; DIV-M06), "
            "not a Gemma 4 of the reference profile");
}

TEST(WhichProfile, AMistakeIsNoProfile) {
  for (const char* wrong : {"media.0.audio.mel", "media.1.image.patches", "text.logits"}) {
    const auto match = search(golden_under("REF"), dump_under("REF", wrong));
    EXPECT_EQ(match.profile, "") << wrong;
    EXPECT_THAT(match.explained, IsEmpty());
  }
}

TEST(WhichProfile, AMistakeBesideASwitchStays) {
  const auto match = search(golden_under("REF"), dump_under("audio.window_keys=13", "text.logits"));
  EXPECT_EQ(match.profile, "audio.window_keys=13");
  EXPECT_FALSE(match.whole);
  EXPECT_THAT(match.explained, ElementsAre("media.0.audio.layer.0.attn.logits"));
  EXPECT_EQ(describe_match(match, "REF"),
            "audio.window_keys=13 (JAX, MLX, mistral.rs; DIV-M04) explains 1 of the taps");
}

// A golden of another profile: its switch may be the one that the dump lacks.
TEST(WhichProfile, TheDumpMayBeTheReference) {
  const auto golden = golden_under("audio.log_floor=max");
  const auto match = search(golden, dump_under("REF"));
  EXPECT_EQ(match.profile, "REF");
  EXPECT_TRUE(match.whole);
  EXPECT_EQ(describe_match(match, golden.profile),
            "this is audio.log_floor=add (DIV-M07), not the golden's audio.log_floor=max");
}

// A failure by little is not explained by a run that fails it by as little.
TEST(WhichProfile, ASmallErrorIsNotRounding) {
  const auto golden = golden_under("REF");
  TapSet dump = dump_under("REF");
  for (double& value : dump.find("media.0.audio.mel")->values) {
    value *= 1 + 1e-12;
  }
  Listening f64;
  EXPECT_EQ(replay(f64, golden.input, dump, Floors(*find_precision("f64"))).verdict,
            Verdict::kFail);
  EXPECT_EQ(search(golden, dump).profile, "");
}

// What cannot matter is not tried: no run for a text prompt, none of the switches of audio for an
// image.
TEST(WhichProfile, TriesOnlyWhatCanBeFelt) {
  const auto runs_for = [](const std::string& failing, bool media) {
    Golden golden = golden_under("REF");
    const TapSet dump = dump_under("REF", failing);
    if (!media) {
      golden.input.media.clear();
      golden.input.token_types.clear();
    }
    Listening f64;
    const Floors floors(*find_precision("f64"));
    const CaseResult judged = replay(f64, golden.input, dump, floors);
    const std::size_t before = f64.runs;
    which_profile(f64, {golden, dump, floors, true}, judged);
    return f64.runs - before;
  };
  EXPECT_EQ(runs_for("media.1.image.patches", true), 3u);  // torchvision, float, float_clamped
  EXPECT_EQ(runs_for("text.embed", false), 0u);
  EXPECT_EQ(runs_for("text.embed", true), 0u);  // the dump shows the soft-token embeddings
}

}  // namespace
}  // namespace assay::conformance
