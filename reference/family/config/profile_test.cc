// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/testing/source_dir.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string message_of(std::string_view text) {
  try {
    parse_profile(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Profile, ReferenceIsTheDefault) {
  EXPECT_EQ(parse_profile("REF"), Profile{});
  EXPECT_EQ(profile_text(Profile{}), "REF");
}

TEST(Profile, OneSwitch) {
  Profile expected;
  expected.audio_window_keys = AudioWindowKeys::k13;
  EXPECT_EQ(parse_profile("audio.window_keys=13"), expected);
  EXPECT_EQ(profile_text(expected), "audio.window_keys=13");
}

TEST(Profile, AllOfJax) {
  Profile jax;
  jax.audio_window_keys = AudioWindowKeys::k13;
  jax.audio_embed_order = EmbedOrder::kProjectThenNorm;
  jax.audio_hann = HannPhase::kHalfSample;
  jax.audio_left_pad = LeftPad::kNone;
  jax.vision_pad_mask = VisionPadMask::kAdditiveBool;
  EXPECT_EQ(parse_profile("vision.pad_mask=additive_bool,audio.window_keys=13,audio.left_pad=0,"
                          "audio.embed_order=proj_norm,audio.hann=half_sample"),
            jax);
}

// Also that the table's order of values is the order of each enumeration.
TEST(Profile, ValuesMeanWhatTheySay) {
  EXPECT_EQ(parse_profile("audio.embed_order=proj_norm").audio_embed_order,
            EmbedOrder::kProjectThenNorm);
  EXPECT_EQ(parse_profile("audio.hann=half_sample").audio_hann, HannPhase::kHalfSample);
  EXPECT_EQ(parse_profile("audio.left_pad=0").audio_left_pad, LeftPad::kNone);
  EXPECT_EQ(parse_profile("audio.log_floor=max").audio_log_floor, LogFloor::kMax);
  EXPECT_EQ(parse_profile("image.resample=float").image_resample, ImageResample::kFloat);
  EXPECT_EQ(parse_profile("vision.pad_mask=additive_bool").vision_pad_mask,
            VisionPadMask::kAdditiveBool);
  const auto mask = [](const std::string& value) {
    return parse_profile("text.vision_mask=" + value).text_vision_mask;
  };
  EXPECT_EQ(mask("sliding_clamped"), VisionMask::kSlidingClamped);
  EXPECT_EQ(mask("sliding_past_clamped"), VisionMask::kSlidingPastClamped);
  EXPECT_EQ(mask("sliding_unclamped"), VisionMask::kSlidingUnclamped);
  EXPECT_EQ(mask("all_layers"), VisionMask::kAllLayers);
  EXPECT_EQ(mask("all_layers_clamped"), VisionMask::kAllLayersClamped);
}

TEST(Profile, EachSwitchRoundTripsAndTouchesOnlyItself) {
  for (const ProfileSwitch& of : kProfileSwitches) {
    EXPECT_THAT(of.ledger, HasSubstr("DIV-M"));
    for (std::size_t i = 0; i < of.values().size(); ++i) {
      const std::string text = std::string(of.key) + "=" + std::string(of.values()[i].name);
      EXPECT_EQ(profile_text(parse_profile(text)), i == 0 ? "REF" : text);
    }
  }
}

// The list of spec multimodal 0.3, in the table's order.
TEST(Profile, TheSpecificationListsTheSwitches) {
  std::ifstream file(source_dir() + "/docs/spec/multimodal.md");
  std::vector<std::string> listed;
  for (std::string line; std::getline(file, line) && !line.starts_with("## 1 ");) {
    if (line.starts_with("| `")) {
      listed.push_back(line);
    }
  }
  ASSERT_EQ(listed.size(), kProfileSwitches.size());
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const ProfileSwitch& of = kProfileSwitches[i];
    std::string values;
    for (const ProfileValue& value : of.values()) {
      values += (values.empty() ? "" : ", ") + std::string(value.name);
    }
    EXPECT_THAT(listed[i], StartsWith("| `" + std::string(of.key) + "` | " + values + " | " +
                                      std::string(of.ledger)));
  }
}

// Whoever is told to have made a choice must be named; of the reference's nobody is.
TEST(Profile, EveryChoiceButTheReferencesNamesSomebody) {
  for (const ProfileSwitch& of : kProfileSwitches) {
    EXPECT_FALSE(of.first_tap.empty()) << of.key;
    for (const ProfileValue& value : of.values()) {
      EXPECT_EQ(value.who.empty(), &value == &of.values().front()) << of.key << " " << value.name;
    }
  }
  EXPECT_EQ(find_profile_switch("audio.hann")->ledger, "DIV-M05");
  EXPECT_EQ(find_profile_switch("audio.han"), nullptr);
}

TEST(Profile, AllTogetherRoundTrip) {
  std::string text;
  for (const ProfileSwitch& of : kProfileSwitches) {
    text += (text.empty() ? "" : ",") + std::string(of.key) + "=" +
            std::string(of.values().back().name);
  }
  EXPECT_EQ(profile_text(parse_profile(text)), text);
}

TEST(Profile, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(message_of("audio.hann=hamming"),
            "profile: audio.hann: got \"hamming\", expected periodic or half_sample");
  EXPECT_THAT(message_of("audio.han=periodic"), HasSubstr("got the switch \"audio.han\""));
  EXPECT_THAT(message_of("audio.han=periodic"), HasSubstr("or text.gelu"));
  for (const char* text : {"", "ref", "audio.hann", "audio.hann=half_sample,", ",", "REF,REF"}) {
    EXPECT_THAT(message_of(text), HasSubstr("expected REF or switch=value")) << text;
  }
  EXPECT_EQ(message_of("audio.hann=periodic,audio.hann=half_sample"),
            "profile: audio.hann: got it twice, expected once");
}

}  // namespace
}  // namespace assay
