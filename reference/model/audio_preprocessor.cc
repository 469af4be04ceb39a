// SPDX-License-Identifier: Apache-2.0
#include "reference/model/audio_preprocessor.h"

#include <algorithm>

#include "reference/model/emit_values.h"

namespace assay::ASSAY_REFERENCE {
Tensor<T, F> audio_preprocessor(std::vector<float> samples, const Profile& profile,
                                const TapScope& tap) {
  samples.resize(std::min(samples.size(), kMaxAudioSamples));
  emit_values<1>(tap, "audio.samples", {samples.size()}, samples);
  const std::size_t frames = mel_frames(samples.size(), profile.audio_left_pad);
  if (frames == 0) {
    throw Error("audio: got " + std::to_string(samples.size()) +
                " samples, which make no frame, expected more");
  }
  auto windowed = windowed_frames(samples, profile);
  emit_values<2>(tap, "audio.frames_windowed", {frames, kMelFrame}, windowed);
  auto magnitude = magnitudes(windowed);
  emit_values<2>(tap, "audio.magnitude", {frames, kFftBins}, magnitude);
  auto mel_linear = mel_of(magnitude);
  emit_values<2>(tap, "audio.mel_linear", {frames, kMelBins}, mel_linear);
  std::transform(mel_linear.begin(), mel_linear.end(), mel_linear.begin(),
                 [](double value) { return std::max(value, 0.0); });  // a listener's may be less
  const auto mel = logarithm(mel_linear, profile.audio_log_floor);
  auto tensor = make_tensor<T, F>({frames, kMelBins});
  std::copy(mel.begin(), mel.end(), tensor.begin());
  return tensor;
}

void emit_mel(Tensor<T, F>& mel, std::size_t frames, const TapScope& tap) {
  tap.whole("audio.mel", mel);
  IntTensor<T> mask = IntTensor<T>::from_shape({frames});
  mask.fill(0);
  std::fill_n(mask.begin(), mel.shape()[0], 1);
  tap.whole("audio.mel_mask", mask);
}

}  // namespace assay::ASSAY_REFERENCE
