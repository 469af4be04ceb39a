// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/base/error.h"

namespace assay {
namespace {

using testing::HasSubstr;

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
}

TEST(Profile, EachSwitchRoundTripsAndTouchesOnlyItself) {
  EXPECT_EQ(profile_switches().size(), 8u);
  for (const ProfileSwitch& of : profile_switches()) {
    EXPECT_THAT(of.ledger, HasSubstr("DIV-M"));
    for (std::size_t i = 0; i < of.values.size(); ++i) {
      const std::string text = std::string(of.key) + "=" + std::string(of.values[i]);
      EXPECT_EQ(profile_text(parse_profile(text)), i == 0 ? "REF" : text);
    }
  }
}

TEST(Profile, AllTogetherRoundTrip) {
  std::string text;
  for (const ProfileSwitch& of : profile_switches()) {
    text += (text.empty() ? "" : ",") + std::string(of.key) + "=" + std::string(of.values.back());
  }
  EXPECT_EQ(profile_text(parse_profile(text)), text);
}

TEST(Profile, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(message_of("audio.hann=hamming"),
            "profile: audio.hann: got \"hamming\", expected periodic or half_sample");
  EXPECT_THAT(message_of("audio.han=periodic"), HasSubstr("got the switch \"audio.han\""));
  EXPECT_THAT(message_of("audio.han=periodic"), HasSubstr("or text.vision_mask"));
  for (const char* text : {"", "ref", "audio.hann", "audio.hann=half_sample,", ",", "REF,REF"}) {
    EXPECT_THAT(message_of(text), HasSubstr("expected REF or switch=value")) << text;
  }
  EXPECT_EQ(message_of("audio.hann=periodic,audio.hann=half_sample"),
            "profile: audio.hann: got it twice, expected once");
}

}  // namespace
}  // namespace assay
