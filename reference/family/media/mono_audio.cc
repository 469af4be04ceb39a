// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/mono_audio.h"

#include <samplerate.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/family/base/error.h"

namespace assay {
namespace {

// Samples of the file. A filter takes 1, 0.3 and 0.1 s for a million of them, whatever the rate;
// a small file may hold an hour of silence.
constexpr std::size_t kBestFilterFrames = 1u << 22, kMediumFilterFrames = 1u << 24;

void check_count(std::size_t frames, std::size_t rate, const std::string& name) {
  if (frames > kMaxAudioFrames) {
    throw Error(name + ": audio: got more than " + std::to_string(kMaxAudioFrames) +
                " samples, expected at most that many");
  }
  if (rate != kAudioRate && frames > kMaxResampledFrames) {
    throw Error(name + ": audio: got more than " + std::to_string(kMaxResampledFrames) +
                " samples at " + std::to_string(rate) + " Hz, expected at most that many; " +
                "resample it: ffmpeg -i " + name + " -ar 16000 out.wav");
  }
}

int filter_for(std::size_t frames) {
  return frames <= kBestFilterFrames     ? SRC_SINC_BEST_QUALITY
         : frames <= kMediumFilterFrames ? SRC_SINC_MEDIUM_QUALITY
                                         : SRC_SINC_FASTEST;
}

std::vector<float> resampled(const std::vector<float>& mono, std::size_t rate,
                             const std::string& name) {
  const std::size_t count = (mono.size() * kAudioRate + rate - 1) / rate;
  check_count(count, kAudioRate, name);
  std::vector<float> out(count);
  SRC_DATA data = {};
  data.data_in = mono.data();
  data.input_frames = static_cast<long>(mono.size());
  data.data_out = out.data();
  data.output_frames = static_cast<long>(count);
  data.src_ratio = static_cast<double>(kAudioRate) / static_cast<double>(rate);
  const int problem = src_simple(&data, filter_for(std::max(mono.size(), count)), 1);
  if (problem != 0) {
    throw Error(name + ": resampling: got \"" + src_strerror(problem) + "\", expected 16000 Hz");
  }
  if (!std::all_of(out.begin(), out.end(), [](float x) { return std::isfinite(x); })) {
    throw Error(name + ": resampling: got samples that are not finite, expected finite numbers");
  }
  return out;  // a last sample that the filter left out stays 0
}

}  // namespace

void check_audio_format(std::size_t rate, std::size_t channels, const std::string& name) {
  if (rate < kMinAudioFileRate || rate > kMaxAudioFileRate) {
    throw Error(name + ": sample rate: got " + std::to_string(rate) + ", expected " +
                std::to_string(kMinAudioFileRate) + " to " + std::to_string(kMaxAudioFileRate));
  }
  if (channels == 0 || channels > kMaxAudioChannels) {
    throw Error(name + ": channels: got " + std::to_string(channels) + ", expected 1 to " +
                std::to_string(kMaxAudioChannels));
  }
}

MonoAudio::MonoAudio(std::size_t rate, std::size_t channels, std::string name)
    : rate_(rate), channels_(channels), name_(std::move(name)) {
  check_audio_format(rate, channels, name_);
}

void MonoAudio::append(std::span<const double> interleaved) {
  const std::size_t frames = interleaved.size() / channels_;
  check_count(mono_.size() + frames, rate_, name_);
  for (std::size_t t = 0; t < frames; ++t) {
    double sum = 0;
    for (std::size_t c = 0; c < channels_; ++c) {
      sum += interleaved[t * channels_ + c];
    }
    const auto sample = static_cast<float>(sum / static_cast<double>(channels_));
    if (!std::isfinite(sample)) {
      throw Error(name_ + ": sample " + std::to_string(mono_.size()) + ": got " +
                  std::to_string(sample) + ", expected a finite number");
    }
    mono_.push_back(sample);
  }
}

Audio MonoAudio::take() {
  if (mono_.empty()) {
    throw Error(name_ + ": audio: got 0 samples, expected at least 1");
  }
  Audio audio;
  audio.file_rate = rate_;
  audio.file_channels = channels_;
  audio.samples = rate_ == kAudioRate ? std::exchange(mono_, {})
                                      : resampled(std::exchange(mono_, {}), rate_, name_);
  return audio;
}

}  // namespace assay
