// SPDX-License-Identifier: Apache-2.0
// What kind of audio file bytes are, by their content.
//
//   RIFF, RIFX, RF64 of form WAVE; fLaC; OggS; FORM of AIFF or AIFC; .snd; riff of Wave64; caff
//   MPEG audio     a frame header and a second one where the first frame ends, after ID3 or not
//   AAC            the same with headers of ADTS
// Sources: ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 14496-3, 1.A.3.2; RFC 3533; ID3v2.4.
#pragma once

#include <cstddef>
#include <span>

namespace assay {

enum class AudioFormat { kNone, kWav, kFlac, kOgg, kAiff, kAu, kWave64, kCaf, kMpeg, kAac };

AudioFormat audio_format(std::span<const std::byte> bytes);

// The bytes of an ID3v2 tag at the beginning, 0 where there is none.
std::size_t id3_length(std::span<const std::byte> bytes);

}  // namespace assay
