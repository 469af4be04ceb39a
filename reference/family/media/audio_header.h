// SPDX-License-Identifier: Apache-2.0
// The headers of audio files, read before libsndfile sees the file: it reads what is there of a cut
// file and says nothing, and its words about a bad header are about itself.
//
// A stream does not know how long it will be and writes what it likes instead: 0, 0x7FFFFFFF,
// 0x80000000, 0xFFFFFFFF, or one of these less a header. Such data reach to the end of the file, as
// libsndfile has it; a length that a file of permitted size can have is believed.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/media/audio_format.h"

namespace assay {

// Throws Error for a header that makes no sense and for data that are not all there.
void check_audio_header(std::span<const std::byte> bytes, AudioFormat format,
                        const std::string& name);

}  // namespace assay
