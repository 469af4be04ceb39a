// SPDX-License-Identifier: Apache-2.0
// For tests: bytes of media files, written by hand or damaged.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace assay {

inline std::span<const std::byte> as_file(const std::string& bytes) {
  return std::as_bytes(std::span(bytes));
}

inline std::string big(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = width; i-- > 0;) {
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  return bytes;
}

inline std::string little(std::uint64_t value, int width) {
  const std::string bytes = big(value, width);
  return {bytes.rbegin(), bytes.rend()};
}

// -- damage ---------------------------------------------------------------------------------------

inline std::string cut(const std::string& bytes, std::size_t count) {
  return bytes.substr(0, count);
}

inline std::string without_end(const std::string& bytes, std::size_t count) {
  return bytes.substr(0, bytes.size() - count);
}

// Puts `with` over the bytes at `offset` from the first `mark`.
inline std::string patched(std::string bytes, const std::string& mark, std::size_t offset,
                           const std::string& with) {
  const std::size_t at = bytes.find(mark);
  return at == std::string::npos ? "no mark" : bytes.replace(at + offset, with.size(), with);
}

// -- PNG ------------------------------------------------------------------------------------------

inline std::uint32_t crc32_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
  }
  return ~crc;
}

inline std::string png_chunk(const std::string& name, const std::string& body) {
  return big(body.size(), 4) + name + body + big(crc32_of(name + body), 4);
}

// One stored block: at most 65535 bytes.
inline std::string zlib_stored(const std::string& bytes) {
  std::uint32_t a = 1, b = 0;
  for (const char c : bytes) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return "\x78\x01\x01" + little(bytes.size(), 2) + little(~bytes.size() & 0xFFFF, 2) + bytes +
         big(b << 16 | a, 4);
}

struct PngFacts {
  std::uint32_t width = 1, height = 1;
  int bits = 8, colour = 2;
};

inline std::string png_header(const PngFacts& facts) {
  return "\x89PNG\r\n\x1a\n" +
         png_chunk("IHDR", big(facts.width, 4) + big(facts.height, 4) +
                               static_cast<char>(facts.bits) + static_cast<char>(facts.colour) +
                               std::string(3, '\0'));
}

// `rows`: each with its filter byte. `chunks` stand before the pixels.
inline std::string png_file(const PngFacts& facts, const std::string& rows,
                            const std::string& chunks = "") {
  return png_header(facts) + chunks + png_chunk("IDAT", zlib_stored(rows)) + png_chunk("IEND", "");
}

// -- WAV ------------------------------------------------------------------------------------------

struct WavFacts {
  int form = 1, channels = 1, rate = 16000, bits = 16;  // form 1: integers, 3: floats
};

inline std::string wav_file(const WavFacts& facts, const std::string& data) {
  const int frame = facts.channels * facts.bits / 8;
  const std::string head = little(static_cast<unsigned>(facts.form), 2) +
                           little(static_cast<unsigned>(facts.channels), 2) +
                           little(static_cast<unsigned>(facts.rate), 4) +
                           little(static_cast<unsigned>(facts.rate * frame), 4) +
                           little(static_cast<unsigned>(frame), 2) +
                           little(static_cast<unsigned>(facts.bits), 2);
  const std::string body =
      "WAVEfmt " + little(head.size(), 4) + head + "data" + little(data.size(), 4) + data;
  return "RIFF" + little(body.size(), 4) + body;
}

}  // namespace assay
