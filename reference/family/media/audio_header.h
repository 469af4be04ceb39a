// SPDX-License-Identifier: Apache-2.0
// The headers of WAV and FLAC, read before libsndfile sees the file: it reads what is there of a
// cut WAV and says nothing, and its words about a bad header are about itself.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace assay {

bool looks_like_wav(std::span<const std::byte> bytes);
bool looks_like_flac(std::span<const std::byte> bytes);

// Throw Error unless the format is one that is read (see audio_file.h) and the data of a WAV are
// all there.
void check_wav_header(std::span<const std::byte> bytes, const std::string& name);
void check_flac_header(std::span<const std::byte> bytes, const std::string& name);

}  // namespace assay
