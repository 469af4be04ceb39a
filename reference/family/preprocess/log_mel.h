// SPDX-License-Identifier: Apache-2.0
// From 16 kHz mono samples to the log-mel frames that the audio encoder reads.
//
//   frame i   = padded samples 160 i ... 160 i + 319, times the Hann window   (in fp32)
//   magnitude = |rfft_512(frame)|                                             (fp64, from here)
//   mel_linear= magnitude . filters          130 points equally spaced in HTK mel, 0 ... 8000 Hz
//   mel       = ln(mel_linear + 0.001)                                        (rounded to fp32)
//
// Only frames made of real samples are computed, T = floor((N - 161) / 160) + 1 of them; a valid
// frame never sees padding.  Spec: RA-1 to RA-10, RU-6.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "reference/family/config/profile.h"

namespace assay {

constexpr std::size_t kSampleRate = 16000;
constexpr std::size_t kMaxAudioSamples = 30 * kSampleRate;  // longer clips are cut (DIV-M09)
constexpr std::size_t kMelFrame = 320;                      // samples
constexpr std::size_t kMelHop = 160;
constexpr std::size_t kFftSize = 512;
constexpr std::size_t kFftBins = kFftSize / 2 + 1;
constexpr std::size_t kMelBins = 128;

struct LogMel {
  std::size_t frames = 0;              // T
  std::vector<float> frames_windowed;  // [T, 320]
  std::vector<double> magnitude;       // [T, 257]
  std::vector<double> mel_linear;      // [T, 128]
  std::vector<float> mel;              // [T, 128]
};

// The steps one by one, for those who go on from values of their own.
std::vector<float> windowed_frames(std::span<const float> samples, const Profile& profile);
std::vector<double> magnitudes(const std::vector<float>& frames_windowed);
std::vector<double> mel_of(const std::vector<double>& magnitude);
std::vector<float> logarithm(const std::vector<double>& mel_linear, LogFloor floor);

// All of them, of the first 30 s: what comes later is cut here. Throws Error on a sample that is
// not finite. No frames for 160 samples or fewer.
LogMel log_mel(std::span<const float> samples, const Profile& profile = {});

// T of N samples (of 480000 where there are more), and the soft tokens of T frames:
// ceil(ceil(T / 2) / 2).
std::size_t mel_frames(std::size_t samples, LeftPad left_pad = LeftPad::k160);
std::size_t audio_soft_tokens(std::size_t frames);

// Frames in the mask of a clip: those of the clip filled up to a multiple of 128 samples.
std::size_t mel_mask_frames(std::size_t samples, LeftPad left_pad);

}  // namespace assay
