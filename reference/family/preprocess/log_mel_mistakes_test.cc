// SPDX-License-Identifier: Apache-2.0
// The mistakes of spec multimodal 10.3, by their names, and the switches of the profile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "reference/family/preprocess/log_mel.h"
#include "reference/family/preprocess/mel_filters.h"
#include "reference/family/testing/test_signals.h"

namespace assay {
namespace {

struct Change {
  double most = 0;
  double mean = 0;
};

Change change(const std::vector<float>& a, const std::vector<float>& b) {
  Change out;
  const std::size_t count = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < count; ++i) {
    const double distance = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    out.most = std::max(out.most, distance);
    out.mean += distance / static_cast<double>(count);
  }
  return out;
}

void expect_change(const Profile& profile, Change of_tones, Change of_noise) {
  const Change a = change(log_mel(two_tones()).mel, log_mel(two_tones(), profile).mel);
  const Change b = change(log_mel(test_noise()).mel, log_mel(test_noise(), profile).mel);
  EXPECT_NEAR(a.most, of_tones.most, 6e-3);
  EXPECT_NEAR(a.mean, of_tones.mean, 6e-4);
  EXPECT_NEAR(b.most, of_noise.most, 6e-3);
  EXPECT_NEAR(b.mean, of_noise.mean, 6e-4);
}

// The three switches move the log-mel as far as spec multimodal 5.2 says.
TEST(LogMelProfile, HalfSampleHann) {
  expect_change({.audio_hann = HannPhase::kHalfSample}, {0.557, 0.0145}, {0.877, 0.0038});
}

TEST(LogMelProfile, MaxFloor) {
  expect_change({.audio_log_floor = LogFloor::kMax}, {0.691, 0.183}, {0.514, 0.0023});
}

TEST(LogMelProfile, NoLeftPad) {
  expect_change({.audio_left_pad = LeftPad::kNone}, {6.01, 0.106}, {4.58, 0.546});
  EXPECT_EQ(log_mel(test_noise(), {.audio_left_pad = LeftPad::kNone}).frames, 55u);
}

// Without padding frame i is the padded frame i + 1.
TEST(LogMelProfile, NoLeftPadIsOneFrameLater) {
  const LogMel padded = log_mel(test_noise());
  const LogMel bare = log_mel(test_noise(), {.audio_left_pad = LeftPad::kNone});
  EXPECT_TRUE(std::equal(bare.mel.begin(), bare.mel.end(), padded.mel.begin() + kMelBins));
}

// The window, seen through an audio clip that is 1 everywhere; frame 1 lies wholly inside.
std::vector<float> window(const Profile& profile = {}) {
  const LogMel mel = log_mel(std::vector<float>(800, 1.0f), profile);
  const auto begin = mel.frames_windowed.begin() + kMelFrame;
  return {begin, begin + kMelFrame};
}

TEST(log_mel, A1_other_hann_windows) {
  const auto w = window();
  EXPECT_EQ(w[0], 0);
  EXPECT_EQ(w[160], 1);
  EXPECT_GT(w[319], 0);    // symmetric: 0
  EXPECT_EQ(w[80], 0.5f);  // root of Hann: 0.707
  double sum = 0;
  for (std::size_t n = 0; n < kMelFrame; ++n) {
    sum += static_cast<double>(w[n]);
    if (n > 0) {
      EXPECT_NEAR(w[n], w[kMelFrame - n], 1e-7);
    }
  }
  EXPECT_NEAR(sum, 160, 1e-5);
  const auto half = window({.audio_hann = HannPhase::kHalfSample});
  EXPECT_GT(half[0], 0);
  EXPECT_NEAR(half[0], half[319], 1e-7);
}

TEST(log_mel, A2_padding) {
  const LogMel mel = log_mel(std::vector<float>(800, 1.0f));
  for (std::size_t n = 0; n < 160; ++n) {
    EXPECT_EQ(mel.frames_windowed[n], 0) << n;  // zeros before the audio, no reflection
  }
  EXPECT_EQ(mel.frames_windowed[160], 1);  // the first sample is in the middle of frame 0
}

TEST(log_mel, A3_frame_test_of_320_samples) {
  EXPECT_EQ(mel_frames(160), 0u);
  EXPECT_EQ(mel_frames(161), 1u);
  EXPECT_EQ(mel_frames(320), 1u);
  EXPECT_EQ(mel_frames(321), 2u);
  EXPECT_EQ(mel_frames(480), 2u);
}

TEST(log_mel, A5_transform_of_320_points) {
  EXPECT_EQ(log_mel(test_noise()).magnitude.size(), 56u * 257);
}

TEST(log_mel, A6_power) {
  std::vector<float> twice = test_noise();
  for (float& sample : twice) {
    sample *= 2;
  }
  const LogMel one = log_mel(test_noise());
  const LogMel two = log_mel(twice);
  EXPECT_NEAR(two.magnitude[1000] / one.magnitude[1000], 2, 1e-12);
}

TEST(log_mel, A7_pre_emphasis) {
  const auto samples = test_noise();
  const LogMel mel = log_mel(samples);
  const auto w = window();
  for (std::size_t n = 0; n < kMelFrame; ++n) {
    EXPECT_EQ(mel.frames_windowed[kMelFrame + n], samples[n] * w[n]);
  }
}

TEST(log_mel, A9_first_filter_repaired) {
  const LogMel mel = log_mel(test_noise());
  for (std::size_t t = 0; t < mel.frames; ++t) {
    EXPECT_EQ(mel.mel_linear[t * kMelBins], 0);
    EXPECT_EQ(mel.mel[t * kMelBins], static_cast<float>(std::log(0.001)));
  }
}

TEST(log_mel, A11_floor) {
  const LogMel mel = log_mel(two_tones());
  for (std::size_t i = 0; i < mel.mel.size(); i += 97) {
    EXPECT_EQ(mel.mel[i], static_cast<float>(std::log(mel.mel_linear[i] + 0.001)));
  }
}

TEST(log_mel, A12_other_logarithms) {
  const LogMel mel = log_mel(std::vector<float>(1600, 0.0f));
  EXPECT_FLOAT_EQ(mel.mel[0], -6.9077554f);  // log10: -3; decibels: -60; Whisper: 0.25
}

TEST(log_mel, A13_normalised_by_bin) {
  std::vector<float> loud = test_noise();
  for (float& sample : loud) {
    sample *= 8;
  }
  const LogMel soft = log_mel(test_noise());
  const LogMel mel = log_mel(loud);
  const std::size_t i = 20 * kMelBins + 100;
  EXPECT_NEAR(mel.mel[i] - soft.mel[i], std::log(8), 1e-2);
}

TEST(log_mel, A14_frames_of_padding) {
  EXPECT_EQ(log_mel(test_noise()).mel.size(), 56u * kMelBins);  // none: only frames of real samples
}

TEST(log_mel, A15_bins_before_frames) {
  const LogMel mel = log_mel(test_noise());
  const auto first = static_cast<float>(std::log(0.001));
  EXPECT_EQ(mel.mel[kMelBins], first);  // bin 0 of frame 1
  EXPECT_NE(mel.mel[1], first);         // bin 1 of frame 0
}

TEST(log_mel, A17_thirty_seconds) {
  const auto samples = test_signal({"noise", 0.1, 9}, kMaxAudioSamples + 20000);
  const LogMel mel = log_mel(samples);
  EXPECT_EQ(mel.frames, 2999u);
  EXPECT_EQ(mel_frames(samples.size()), 2999u);
  EXPECT_EQ(mel.mel, log_mel(std::span(samples).first(kMaxAudioSamples)).mel);
}

TEST(log_mel, A18_tokens_from_milliseconds) {
  const auto tokens = [](std::size_t samples) { return audio_soft_tokens(mel_frames(samples)); };
  EXPECT_EQ(tokens(800), 1u);       // ceil(50 ms / 40): 2
  EXPECT_EQ(tokens(16001), 25u);    // 26
  EXPECT_EQ(tokens(240000), 375u);  // not at most 280
}

// What is nearly invisible: a frame in the middle of the 512 points has the same magnitudes (A4).
// Nothing here could fail, so nothing is tested.

}  // namespace
}  // namespace assay
