// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/audio_format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "reference/family/media/file_bytes.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

// Kilobits per second by the four bits of a header: 0 is free, 15 forbidden.
using BitRates = std::array<std::uint16_t, 16>;
constexpr BitRates kLayer1 = {0,   32,  64,  96,  128, 160, 192, 224,
                              256, 288, 320, 352, 384, 416, 448, 0};
constexpr BitRates kLayer2 = {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0};
constexpr BitRates kLayer3 = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0};
constexpr BitRates kHalfLayer1 = {0,   32,  48,  56,  64,  80,  96,  112,
                                  128, 144, 160, 176, 192, 224, 256, 0};
constexpr BitRates kHalfOthers = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0};

const BitRates& bit_rates(bool full, std::uint64_t layer) {  // layer: 3 is I, 2 is II, 1 is III
  if (!full) {
    return layer == 3 ? kHalfLayer1 : kHalfOthers;
  }
  return layer == 3 ? kLayer1 : layer == 2 ? kLayer2 : kLayer3;
}

// Of MPEG 1, 2 and 2.5, layers I to III; nothing where no frame begins.
std::optional<std::size_t> mpeg_frame_length(Bytes bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < 4) {
    return {};
  }
  const std::uint64_t head = big_endian(bytes, at, 4);
  const std::uint64_t version = head >> 19 & 3, layer = head >> 17 & 3, rate = head >> 10 & 3;
  if (head >> 21 != 0x7FF || version == 1 || layer == 0 || rate == 3) {
    return {};
  }
  constexpr std::array<std::size_t, 3> kRates = {44100, 48000, 32000};
  const bool full = version == 3;
  const std::size_t kilobits = bit_rates(full, layer)[head >> 12 & 15];
  const std::size_t hertz = kRates[rate] / (full ? 1 : version == 2 ? 2 : 4);
  if (kilobits == 0) {
    return {};
  }
  const std::size_t padding = head >> 9 & 1;
  if (layer == 3) {
    return (12 * kilobits * 1000 / hertz + padding) * 4;
  }
  return (layer == 1 && !full ? 72 : 144) * kilobits * 1000 / hertz + padding;
}

std::optional<std::size_t> adts_frame_length(Bytes bytes, std::size_t at) {
  constexpr std::size_t kLeast = 7;
  if (at > bytes.size() || bytes.size() - at < kLeast) {
    return {};
  }
  const std::uint64_t head = big_endian(bytes, at, 7);
  const std::size_t length = head >> 13 & 0x1FFF;
  const bool begins = head >> 44 == 0xFFF && (head >> 41 & 3) == 0 && (head >> 34 & 15) < 13;
  return begins && length >= kLeast ? std::optional(length) : std::nullopt;
}

// A frame, and another one or the end of the file after it.
bool two_frames(Bytes bytes, std::size_t at,
                std::optional<std::size_t> (*frame_length)(Bytes, std::size_t)) {
  const auto length = frame_length(bytes, at);
  return length && (at + *length >= bytes.size() || frame_length(bytes, at + *length));
}

// Tags may be filled up with zeros beyond their length.
std::size_t after_zeros(Bytes bytes, std::size_t at) {
  constexpr std::size_t kMost = 1u << 16;
  const std::size_t end = std::min(bytes.size(), at + kMost);
  while (at < end && bytes[at] == std::byte{0}) {
    ++at;
  }
  return at;
}

}  // namespace

std::size_t id3_length(Bytes bytes) {
  constexpr std::size_t kHeader = 10;
  if (!has_text(bytes, 0, "ID3") || bytes.size() < kHeader) {
    return 0;
  }
  std::size_t length = 0;  // seven bits of each byte
  for (std::size_t i = 6; i < kHeader; ++i) {
    length = length << 7 | (std::to_integer<std::size_t>(bytes[i]) & 0x7F);
  }
  const bool footer = (std::to_integer<unsigned>(bytes[5]) & 0x10) != 0;
  return std::min(bytes.size(), kHeader + length + (footer ? kHeader : 0));
}

AudioFormat audio_format(Bytes bytes) {
  const bool wave = has_text(bytes, 8, "WAVE");
  if (wave &&
      (has_text(bytes, 0, "RIFF") || has_text(bytes, 0, "RF64") || has_text(bytes, 0, "RIFX"))) {
    return AudioFormat::kWav;
  }
  if (has_text(bytes, 0, "FORM") && (has_text(bytes, 8, "AIFF") || has_text(bytes, 8, "AIFC"))) {
    return AudioFormat::kAiff;
  }
  const std::size_t tag = id3_length(bytes);
  if (has_text(bytes, tag, "fLaC")) {
    return AudioFormat::kFlac;
  }
  if (has_text(bytes, 0, "OggS")) {
    return AudioFormat::kOgg;
  }
  if (has_text(bytes, 0, ".snd")) {
    return AudioFormat::kAu;
  }
  if (has_text(bytes, 0, "riff\x2e\x91\xcf\x11")) {
    return AudioFormat::kWave64;
  }
  if (has_text(bytes, 0, "caff")) {
    return AudioFormat::kCaf;
  }
  const std::size_t begin = tag == 0 ? 0 : after_zeros(bytes, tag);
  if (two_frames(bytes, begin, adts_frame_length)) {
    return AudioFormat::kAac;
  }
  // What follows a tag and is no other format is left to the decoder, which looks for a frame.
  return tag > 0 || two_frames(bytes, begin, mpeg_frame_length) ? AudioFormat::kMpeg
                                                                : AudioFormat::kNone;
}

}  // namespace assay
