// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/image_metadata.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "reference/family/media/file_bytes.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;
using Block = std::vector<std::byte>;

constexpr std::uint8_t kApp1 = 0xE1, kStartOfScan = 0xDA, kEndOfImage = 0xD9;
constexpr int kMaxTexts = 64;  // that are looked at: each may take a megabyte and its time
constexpr std::string_view kExifMark("Exif\0\0", 6);
constexpr std::string_view kXmpMark("http://ns.adobe.com/xap/1.0/\0", 29);
constexpr std::string_view kXmpKey = "XML:com.adobe.xmp", kRawProfileKey = "Raw profile type exif";

bool is_alone(std::uint8_t marker) {  // without a length: restarts, start of image, TEM
  return (marker >= 0xD0 && marker <= 0xD8) || marker == 0x01;
}

Block copy_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Splits at the first zero byte; nothing where there is none.
std::optional<std::pair<std::string_view, Bytes>> split_at_zero(Bytes bytes) {
  const std::size_t at = text_of(bytes).find('\0');
  if (at == std::string_view::npos) {
    return {};
  }
  return std::pair(text_of(bytes).substr(0, at), bytes.subspan(at + 1));
}

// Nothing for damaged data and for more than kMaxTextBytes.
std::optional<Block> inflated(Bytes packed) {
  Block text(kMaxTextBytes);
  uLongf length = text.size();
  const int code =
      uncompress(reinterpret_cast<Bytef*>(text.data()), &length,
                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  if (code != Z_OK) {
    return {};
  }
  text.resize(length);
  return text;
}

struct PngText {
  std::string_view key;
  Block text;
};

// After its key a zTXt has a method; an iTXt has a flag, a method, a language and a translated key.
std::optional<PngText> text_of_chunk(std::string_view chunk, Bytes body) {
  const auto parts = split_at_zero(body);
  if (!parts || (parts->first != kXmpKey && parts->first != kRawProfileKey)) {
    return {};
  }
  Bytes rest = parts->second;
  bool packed = chunk == "zTXt";
  if (chunk != "tEXt") {
    const std::size_t facts = packed ? 1 : 2;
    if (rest.size() < facts || rest[facts - 1] != std::byte{0}) {  // the method: deflate
      return {};
    }
    packed = packed || rest[0] != std::byte{0};
    rest = rest.subspan(facts);
  }
  for (int i = 0; chunk == "iTXt" && i < 2; ++i) {
    const auto next = split_at_zero(rest);
    if (!next) {
      return {};
    }
    rest = next->second;
  }
  auto text = packed ? inflated(rest) : std::optional(copy_of(rest));
  if (!text) {
    return {};
  }
  return PngText{parts->first, std::move(*text)};
}

int digit_of(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

// A line break, the kind, the length, each on a line of its own, then the bytes in hexadecimal.
Block raw_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) {
      return {};
    }
    text.remove_prefix(end + 1);
  }
  Block bytes;
  int high = -1;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) {
      if (c == '\n' || c == ' ' || c == '\r' || c == '\t') {
        continue;
      }
      return {};
    }
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::byte>(16 * high + digit));
      high = -1;
    }
  }
  return bytes;
}

}  // namespace

ImageMetadata jpeg_metadata(Bytes jpeg) {
  ImageMetadata metadata;
  for (std::size_t at = 0; at + 4 <= jpeg.size();) {
    const auto marker = std::to_integer<std::uint8_t>(jpeg[at + 1]);
    if (jpeg[at] != std::byte{0xFF} || marker == kStartOfScan || marker == kEndOfImage) {
      break;
    }
    if (marker == 0xFF || is_alone(marker)) {  // 0xFF: a fill byte before the marker
      at += marker == 0xFF ? 1 : 2;
      continue;
    }
    const std::size_t length = big_endian(jpeg, at + 2, 2);
    if (length < 2 || at + 2 + length > jpeg.size()) {
      break;
    }
    const Bytes body = jpeg.subspan(at + 4, length - 2);
    if (marker == kApp1 && has_text(body, 0, kExifMark)) {
      const Bytes part = body.subspan(kExifMark.size());
      metadata.exif.insert(metadata.exif.end(), part.begin(), part.end());
    } else if (marker == kApp1 && has_text(body, 0, kXmpMark)) {
      metadata.xmp = copy_of(body.subspan(kXmpMark.size()));
    }
    at += 2 + length;
  }
  return metadata;
}

ImageMetadata png_metadata(Bytes png) {
  ImageMetadata metadata;
  Block profile;
  int texts = 0;
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::uint64_t length = big_endian(png, at, 4);
    if (length > png.size() - at - 12) {
      break;
    }
    const std::string_view chunk = text_of(png.subspan(at + 4, 4));
    const Bytes body = png.subspan(at + 8, length);
    if (chunk == "eXIf") {
      metadata.exif = copy_of(body);
    } else if (chunk == "tEXt" || chunk == "zTXt" || chunk == "iTXt") {
      if (texts == kMaxTexts) {
        break;
      }
      if (auto text = text_of_chunk(chunk, body)) {
        ++texts;
        (text->key == kXmpKey ? metadata.xmp : profile) = std::move(text->text);
      }
    } else if (chunk == "IEND") {
      break;
    }
    at += 12 + length;
  }
  if (metadata.exif.empty()) {
    metadata.exif = raw_profile(text_of(profile));
  }
  return metadata;
}

}  // namespace assay
