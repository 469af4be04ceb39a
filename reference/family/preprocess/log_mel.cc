// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/log_mel.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "reference/family/base/error.h"
#include "reference/family/preprocess/fft.h"
#include "reference/family/preprocess/mel_filters.h"
#include "reference/family/preprocess/samples.h"

namespace assay {
namespace {

constexpr std::size_t kClipMultiple = 128;  // samples

constexpr double kFloor = 0.001;
constexpr std::size_t kHalfFrame = kMelFrame / 2;  // zeros before the first sample
// A frame exists when one sample more than it uses is there.
constexpr std::size_t kFrameTest = kMelFrame + 1;

// w[n] = 0.5 - 0.5 cos(2 pi n / 320), or n + 1/2 in place of n; fp64, then rounded to fp32.
std::vector<float> hann_window(HannPhase phase) {
  const double offset = phase == HannPhase::kHalfSample ? 0.5 : 0.0;
  std::vector<float> window;
  for (std::size_t n = 0; n < kMelFrame; ++n) {
    const double turn = (static_cast<double>(n) + offset) / kMelFrame;
    window.push_back(static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * turn)));
  }
  return window;
}

std::size_t zeros_before(LeftPad left_pad) {
  return left_pad == LeftPad::k160 ? kHalfFrame : 0;
}

}  // namespace

// Samples before the beginning are 0.
std::vector<float> windowed_frames(std::span<const float> samples, const Profile& profile) {
  samples = samples.first(std::min(samples.size(), kMaxAudioSamples));
  check_finite(samples);
  const std::vector<float> window = hann_window(profile.audio_hann);
  const std::size_t before = zeros_before(profile.audio_left_pad);
  const std::size_t frames = mel_frames(samples.size(), profile.audio_left_pad);
  std::vector<float> windowed(frames * kMelFrame);  // [T, 320]
  for (std::size_t t = 0; t < frames; ++t) {
    for (std::size_t n = 0; n < kMelFrame; ++n) {
      const std::size_t padded = kMelHop * t + n;
      if (padded >= before) {
        windowed[t * kMelFrame + n] = samples[padded - before] * window[n];
      }
    }
  }
  return windowed;
}

std::vector<double> magnitudes(const std::vector<float>& frames_windowed) {
  const std::vector<Complex> roots = fft_roots(kFftSize);
  std::vector<double> magnitude;  // [T, 257]
  for (std::size_t begin = 0; begin < frames_windowed.size(); begin += kMelFrame) {
    const auto first = frames_windowed.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::vector<double> frame(first, first + kMelFrame);
    for (const Complex& bin : real_fft(frame, roots)) {
      magnitude.push_back(std::abs(bin));
    }
  }
  return magnitude;
}

std::vector<double> mel_of(const std::vector<double>& magnitude) {
  const std::size_t frames = magnitude.size() / kFftBins;
  const std::vector<double> filters = mel_filters();
  std::vector<double> mel(frames * kMelBins);  // [T, 128]
  for (std::size_t t = 0; t < frames; ++t) {
    for (std::size_t b = 0; b < kFftBins; ++b) {
      for (std::size_t f = 0; f < kMelBins; ++f) {
        mel[t * kMelBins + f] += magnitude[t * kFftBins + b] * filters[b * kMelBins + f];
      }
    }
  }
  return mel;
}

std::vector<float> logarithm(const std::vector<double>& mel_linear, LogFloor floor) {
  std::vector<float> out;
  for (const double value : mel_linear) {
    const double above = floor == LogFloor::kMax ? std::max(value, kFloor) : value + kFloor;
    out.push_back(static_cast<float>(std::log(above)));
  }
  return out;
}

LogMel log_mel(std::span<const float> samples, const Profile& profile) {
  LogMel out;
  out.frames = mel_frames(samples.size(), profile.audio_left_pad);
  out.frames_windowed = windowed_frames(samples, profile);
  out.magnitude = magnitudes(out.frames_windowed);
  out.mel_linear = mel_of(out.magnitude);
  out.mel = logarithm(out.mel_linear, profile.audio_log_floor);
  return out;
}

std::size_t mel_frames(std::size_t samples, LeftPad left_pad) {
  const std::size_t padded = std::min(samples, kMaxAudioSamples) + zeros_before(left_pad);
  return padded < kFrameTest ? 0 : (padded - kFrameTest) / kMelHop + 1;
}

std::size_t audio_soft_tokens(std::size_t frames) {
  return (frames + 3) / 4;
}

std::size_t mel_mask_frames(std::size_t samples, LeftPad left_pad) {
  const std::size_t kept = std::min(samples, kMaxAudioSamples);
  return mel_frames((kept + kClipMultiple - 1) / kClipMultiple * kClipMultiple, left_pad);
}

}  // namespace assay
