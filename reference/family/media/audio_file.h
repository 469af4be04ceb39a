// SPDX-License-Identifier: Apache-2.0
// Audio files to 16 kHz mono samples in [-1, 1]: WAV (RF64, RIFX, Wave64), FLAC, AIFF, AU, CAF,
// MP3, Ogg Vorbis and Opus through libsndfile, so that samples are those of soundfile; AAC and the
// audio of an MP4 or Matroska file (M4A, MKA, WebM) through FFmpeg's libraries, where they were
// built in.
//
//   8 bits (v - 128) / 128   16 bits v / 2^15   24 bits v / 2^23   32 bits v / 2^31   floats as is
//   A-law, mu-law: the 16 bits that G.711 gives, / 2^15
//   mono[t] = (1/C) sum_c channel[c][t], in double, rounded once
// Other rates are resampled by libsamplerate (its best sinc; of more than 4 million samples, 87 s
// at 48 kHz, its medium one; of more than 16 million its fastest), which lies outside what the
// suite grades (spec multimodal 5.1): n samples at rate r become ceil(16000 n / r). Spec: RA-1.
//
// Files are untrusted: NaN and infinite samples, absurd headers and truncated data are errors.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

inline constexpr std::string_view kAudioFormats =
    "WAV, FLAC, AIFF, MP3, Ogg Vorbis, Opus, M4A or AAC";

constexpr std::size_t kAudioRate = 16000;        // of what comes out
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION  // of conformance/fuzz: small, for many inputs
constexpr std::size_t kMaxAudioFrames = 1u << 18;
#else
constexpr std::size_t kMaxAudioFrames = 1u << 26;  // 70 minutes at 16 kHz; 256 MB of samples
#endif
constexpr std::size_t kMaxResampledFrames = kMaxAudioFrames / 2;  // 11 minutes at 48 kHz
constexpr std::size_t kMaxAudioFileBytes = 512u << 20;
constexpr std::size_t kMaxAudioChannels = 32;
constexpr std::size_t kMinAudioFileRate = 1000, kMaxAudioFileRate = 768000;

struct Audio {
  std::vector<float> samples;     // 16 kHz, mono
  std::size_t file_rate = 16000;  // of the file
  std::size_t file_channels = 1;
};

bool looks_like_audio(std::span<const std::byte> bytes);
Audio decode_audio(std::span<const std::byte> bytes, const std::string& name);

}  // namespace assay
