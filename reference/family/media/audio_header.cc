// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/audio_header.h"

#include <array>
#include <cstdint>
#include <optional>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/mono_audio.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kUnknownLength = 0xFFFFFFFF;  // written by programs that cannot seek
constexpr std::uint64_t kIntegers = 1, kFloats = 3, kExtensible = 0xFFFE;
constexpr std::size_t kFormatBytes = 16, kExtensibleBytes = 40;
constexpr std::size_t kStreamInfoBytes = 34;

// The content of the first chunk of this name; its length may go beyond the file.
struct Chunk {
  std::size_t at = 0;
  std::uint64_t length = 0;
};

std::optional<Chunk> find_chunk(Bytes bytes, std::string_view chunk_name) {
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::uint64_t length = little_endian(bytes, at + 4, 4);
    if (has_text(bytes, at, chunk_name)) {
      return Chunk{at + 8, length};
    }
    at += 8 + length + length % 2;
  }
  return {};
}

void check_format(Bytes format, const std::string& name) {
  std::uint64_t form = little_endian(format, 0, 2);
  if (form == kExtensible && format.size() >= kExtensibleBytes) {
    form = little_endian(format, 24, 2);  // the first two bytes of its identifier
  }
  const std::uint64_t channels = little_endian(format, 2, 2);
  const std::uint64_t frame = little_endian(format, 12, 2);
  const std::uint64_t bits = little_endian(format, 14, 2);
  const bool whole = form == kIntegers && (bits == 8 || bits == 16 || bits == 24 || bits == 32);
  const bool real = form == kFloats && (bits == 32 || bits == 64);
  if (!whole && !real) {
    throw Error(name + ": WAV coding: got format " + std::to_string(form) + " of " +
                std::to_string(bits) +
                " bits, expected 1 (integers of 8, 16, 24, 32) or 3 (floats of 32, 64)");
  }
  check_audio_format(little_endian(format, 4, 4), channels, name);
  if (frame != channels * bits / 8) {
    throw Error(name + ": WAV frame: got " + std::to_string(frame) + " bytes, expected " +
                std::to_string(channels * bits / 8));
  }
}

}  // namespace

bool looks_like_wav(Bytes bytes) {
  return has_text(bytes, 0, "RIFF") && has_text(bytes, 8, "WAVE");
}

bool looks_like_flac(Bytes bytes) {
  return has_text(bytes, 0, "fLaC");
}

void check_wav_header(Bytes bytes, const std::string& name) {
  const auto format = find_chunk(bytes, "fmt ");
  const auto data = find_chunk(bytes, "data");
  for (const auto& [chunk, chunk_name] : {std::pair(format, "fmt "), std::pair(data, "data")}) {
    if (!chunk) {
      throw Error(name + ": WAV chunks: got none of name \"" + chunk_name + "\", expected one");
    }
  }
  if (format->length < kFormatBytes || format->at + format->length > data->at) {
    throw Error(name + ": WAV format: got a chunk of " + std::to_string(format->length) +
                " bytes, expected " + std::to_string(kFormatBytes) + " or more before the data");
  }
  check_format(bytes.subspan(format->at, format->length), name);
  const std::size_t left = bytes.size() - data->at;
  if (data->length > left && data->length != kUnknownLength) {
    throw Error(name + ": WAV data: got " + std::to_string(left) + " bytes, expected " +
                std::to_string(data->length));
  }
}

void check_flac_header(Bytes bytes, const std::string& name) {
  if (bytes.size() < 8 + kStreamInfoBytes) {
    throw Error(name + ": FLAC header: got " + std::to_string(bytes.size()) +
                " bytes, expected at least " + std::to_string(8 + kStreamInfoBytes));
  }
  const std::uint64_t kind = big_endian(bytes, 4, 1) & 0x7F;  // the highest bit: the last block
  if (kind != 0 || big_endian(bytes, 5, 3) != kStreamInfoBytes) {
    throw Error(name + ": FLAC header: got a first block of kind " + std::to_string(kind) +
                ", expected 0 (stream info) of 34 bytes");
  }
  const std::uint64_t facts = big_endian(bytes, 8 + 10, 8);  // 20 bits, 3, 5, 36
  check_audio_format(facts >> 44, (facts >> 41 & 7) + 1, name);
  const std::uint64_t count = facts & 0xFFFFFFFFF;
  if (count > kMaxAudioFrames) {
    throw Error(name + ": audio: got " + std::to_string(count) + " samples, expected at most " +
                std::to_string(kMaxAudioFrames));
  }
}

}  // namespace assay
