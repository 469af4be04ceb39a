// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/audio_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/mono_audio.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kIntegers = 1, kFloats = 3, kALaw = 6, kMuLaw = 7, kExtensible = 0xFFFE;
// Codings that libsndfile decodes by blocks: Microsoft's and IMA's ADPCM, GSM 6.10, G.721, MPEG.
constexpr std::array<std::uint64_t, 5> kBlocks = {2, 0x11, 0x31, 0x40, 0x55};
constexpr std::size_t kFormatBytes = 16, kExtensibleBytes = 40;
constexpr std::size_t kStreamInfoBytes = 34;

// The content of the first chunk of this name; its length may go beyond the file.
struct Chunk {
  std::size_t at = 0;
  std::uint64_t length = 0;
};

// A file of chunks: RIFF from the lower byte up, RIFX and IFF from the higher byte down.
struct Chunks {
  Bytes bytes;
  bool little;

  std::uint64_t number(std::size_t at, std::size_t width) const {
    return little ? little_endian(bytes, at, width) : big_endian(bytes, at, width);
  }

  std::optional<Chunk> find(std::string_view chunk_name) const {
    for (std::size_t at = 12; at + 8 <= bytes.size();) {
      const std::uint64_t length = number(at + 4, 4);
      if (has_text(bytes, at, chunk_name)) {
        return Chunk{at + 8, length};
      }
      at += 8 + length + length % 2;
    }
    return {};
  }
};

bool is_placeholder(std::uint64_t length) {
  return length == 0 || length > kMaxAudioFileBytes;
}

void check_whole(Bytes bytes, const Chunk& data, const std::string& thing) {
  const std::size_t left = bytes.size() - data.at;
  if (data.length > left && !is_placeholder(data.length)) {
    throw Error(thing + ": got " + std::to_string(left) + " bytes, expected " +
                std::to_string(data.length));
  }
}

void check_frame(std::uint64_t form, std::uint64_t bits, std::uint64_t channels,
                 std::uint64_t frame, const std::string& name) {
  const bool whole = form == kIntegers && (bits == 8 || bits == 16 || bits == 24 || bits == 32);
  const bool real = form == kFloats && (bits == 32 || bits == 64);
  const bool law = (form == kALaw || form == kMuLaw) && bits == 8;
  if (!whole && !real && !law) {
    throw Error(
        name + ": WAV coding: got format " + std::to_string(form) + " of " + std::to_string(bits) +
        " bits, expected 1 (integers of 8, 16, 24, 32), 3 (floats of 32, 64), 6 or 7 (A-law "
        "or mu-law of 8), or 2, 17, 49, 64, 85 (ADPCM, GSM, MPEG)");
  }
  if (frame != channels * bits / 8) {
    throw Error(name + ": WAV frame: got " + std::to_string(frame) + " bytes, expected " +
                std::to_string(channels * bits / 8));
  }
}

void check_wav_format(const Chunks& file, const Chunk& format, const std::string& name) {
  std::uint64_t form = file.number(format.at, 2);
  if (form == kExtensible && format.length >= kExtensibleBytes) {
    form = file.number(format.at + 24, 2);  // the first two bytes of its identifier
  }
  const std::uint64_t channels = file.number(format.at + 2, 2);
  check_audio_format(file.number(format.at + 4, 4), channels, name);
  if (std::find(kBlocks.begin(), kBlocks.end(), form) == kBlocks.end()) {
    check_frame(form, file.number(format.at + 14, 2), channels, file.number(format.at + 12, 2),
                name);
  }
}

// RF64 keeps the length of its data in a chunk of its own.
std::uint64_t data_length(const Chunks& file, const Chunk& data) {
  constexpr std::uint64_t kElsewhere = 0xFFFFFFFF;
  constexpr std::size_t kSizes = 24;
  const auto sizes = file.find("ds64");
  const bool wide = has_text(file.bytes, 0, "RF64") && data.length == kElsewhere && sizes &&
                    sizes->length >= kSizes && file.bytes.size() - sizes->at >= kSizes;
  return wide ? file.number(sizes->at + 8, 8) : data.length;
}

void check_wav(Bytes bytes, const std::string& name) {
  const Chunks file{bytes, !has_text(bytes, 0, "RIFX")};
  const auto format = file.find("fmt ");
  auto data = file.find("data");
  for (const auto& [chunk, chunk_name] : {std::pair(format, "fmt "), std::pair(data, "data")}) {
    if (!chunk) {
      throw Error(name + ": WAV chunks: got none of name \"" + chunk_name + "\", expected one");
    }
  }
  if (format->length < kFormatBytes || format->at + format->length > data->at) {
    throw Error(name + ": WAV format: got a chunk of " + std::to_string(format->length) +
                " bytes, expected " + std::to_string(kFormatBytes) + " or more before the data");
  }
  check_wav_format(file, *format, name);
  data->length = data_length(file, *data);
  check_whole(bytes, *data, name + ": WAV data");
}

void check_aiff(Bytes bytes, const std::string& name) {
  const Chunks file{bytes, false};
  for (const char* chunk_name : {"COMM", "SSND"}) {
    const auto chunk = file.find(chunk_name);
    if (!chunk) {
      throw Error(name + ": AIFF chunks: got none of name \"" + chunk_name + "\", expected one");
    }
    check_whole(bytes, *chunk, name + ": AIFF chunk " + chunk_name);
  }
}

void check_flac(Bytes bytes, const std::string& name) {
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

// RFC 3533: 27 bytes, a table of segment lengths, the segments.
std::optional<std::size_t> page_length(Bytes bytes, std::size_t at) {
  constexpr std::size_t kHead = 27;
  if (!has_text(bytes, at, "OggS") || bytes.size() - at < kHead) {
    return {};
  }
  const auto segments = std::to_integer<std::size_t>(bytes[at + kHead - 1]);
  if (bytes.size() - at < kHead + segments) {
    return {};
  }
  std::size_t length = kHead + segments;
  for (const std::byte segment : bytes.subspan(at + kHead, segments)) {
    length += std::to_integer<std::size_t>(segment);
  }
  return length;
}

void check_ogg_coding(Bytes packet, const std::string& name) {
  const bool vorbis = has_text(packet, 0, "\x01vorbis"), opus = has_text(packet, 0, "OpusHead");
  if (vorbis || opus ||
      has_text(packet, 0,
               "\x7f"
               "FLAC")) {
    return;
  }
  const std::string_view got = has_text(packet, 0, "Speex")        ? "Speex"
                               : has_text(packet, 0, "\x80theora") ? "video (Theora)"
                               : has_text(packet, 0, "fishead")    ? "Ogg Skeleton"
                                                                   : "another coding";
  throw Error(name + ": Ogg: got " + std::string(got) + ", expected Vorbis, Opus or FLAC" +
              "; convert it: ffmpeg -i " + name + " out.wav");
}

void check_ogg(Bytes bytes, const std::string& name) {
  bool first = true;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = page_length(bytes, at);
    if (!length || *length > bytes.size() - at) {
      throw Error(name + ": Ogg: got " + std::to_string(bytes.size() - at) +
                  " bytes of a page at byte " + std::to_string(at) + ", expected " +
                  (length ? std::to_string(*length) : std::string("a page")));
    }
    if (first) {
      const auto segments = std::to_integer<std::size_t>(bytes[at + 26]);
      check_ogg_coding(bytes.subspan(at + 27 + segments, *length - 27 - segments), name);
      first = false;
    }
    at += *length;
  }
}

}  // namespace

void check_audio_header(Bytes bytes, AudioFormat format, const std::string& name) {
  switch (format) {
    case AudioFormat::kWav:
      return check_wav(bytes, name);
    case AudioFormat::kAiff:
      return check_aiff(bytes, name);
    case AudioFormat::kFlac:
      return check_flac(bytes.subspan(id3_length(bytes)), name);
    case AudioFormat::kOgg:
      return check_ogg(bytes, name);
    default:
      return;
  }
}

}  // namespace assay
