// SPDX-License-Identifier: Apache-2.0
// Samples of any number of channels and any rate become 16 kHz mono: the part that audio files and
// the audio tracks of videos share.
//
//   mono[t] = (1/C) sum_c x[t, c], in double, rounded once
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "reference/family/media/audio_file.h"

namespace assay {

// Throws Error for a rate or a number of channels out of bounds.
void check_audio_format(std::size_t rate, std::size_t channels, const std::string& name);

// Grows while samples come, so that no header is believed.
class MonoAudio {
 public:
  MonoAudio(std::size_t rate, std::size_t channels, std::string name);

  // [frames, channels]. Throws Error for what is not finite and beyond kMaxAudioFrames, or
  // kMaxResampledFrames at another rate than 16 kHz.
  void append(std::span<const double> interleaved);

  std::size_t frames() const { return mono_.size(); }

  // At 16 kHz; the object is empty afterwards. Throws Error when there is no sample.
  Audio take();

 private:
  std::size_t rate_;
  std::size_t channels_;
  std::string name_;
  std::vector<float> mono_;  // at rate_
};

}  // namespace assay
