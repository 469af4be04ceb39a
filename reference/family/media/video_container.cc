// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/video_container.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"

namespace assay {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kSegment = 0x18538067;  // of Matroska: everything but the header
constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

struct Element {
  std::uint64_t id = 0;
  std::size_t head = 0;      // bytes before the content
  std::uint64_t length = 0;  // of the content, or kToTheEnd
};

Error cut_short(const std::string& name, const char* what, std::size_t got,
                std::uint64_t expected) {
  return Error(name + ": " + what + ": got " + std::to_string(got) + " bytes, expected " +
               std::to_string(expected));
}

// A number of EBML: the zeros before its first 1 say how many bytes follow.
std::optional<std::size_t> number_width(Bytes bytes, std::size_t at, std::size_t most) {
  if (at >= bytes.size()) {
    return {};
  }
  const auto width =
      static_cast<std::size_t>(std::countl_zero(std::to_integer<std::uint8_t>(bytes[at]))) + 1;
  return width <= most && width <= bytes.size() - at ? std::optional(width) : std::nullopt;
}

std::optional<Element> matroska_element(Bytes bytes, std::size_t at) {
  const auto id_width = number_width(bytes, at, 4);
  const auto width = id_width ? number_width(bytes, at + *id_width, 8) : std::nullopt;
  if (!width) {
    return {};
  }
  const std::uint64_t largest = (std::uint64_t{1} << (7 * *width)) - 1;  // stands for "unknown"
  const std::uint64_t length = big_endian(bytes, at + *id_width, *width) & largest;
  return Element{big_endian(bytes, at, *id_width), *id_width + *width,
                 length == largest ? kToTheEnd : length};
}

std::optional<Element> mp4_box(Bytes bytes, std::size_t at) {
  if (bytes.size() - at < 8) {
    return {};
  }
  const std::uint64_t id = big_endian(bytes, at + 4, 4);
  const std::uint64_t size = big_endian(bytes, at, 4);
  if (size == 0) {
    return Element{id, 8, kToTheEnd};
  }
  if (size != 1) {
    return size < 8 ? std::nullopt : std::optional(Element{id, 8, size - 8});
  }
  const std::uint64_t wide = bytes.size() - at < 16 ? 0 : big_endian(bytes, at + 8, 8);
  return wide < 16 ? std::nullopt : std::optional(Element{id, 16, wide - 16});
}

// Walks the outermost elements; `wanted` must be one of them, and what is after it need be none.
void check_elements(Bytes bytes, std::optional<Element> (*element_at)(Bytes, std::size_t),
                    std::uint64_t wanted, const std::string& what, const std::string& missing) {
  bool found = false;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto element = element_at(bytes, at);
    if (!element && found) {
      break;
    }
    if (!element) {
      throw Error(what + ": got no element at byte " + std::to_string(at) + ", expected one");
    }
    found = found || element->id == wanted;
    if (element->length == kToTheEnd) {
      break;
    }
    const std::size_t left = bytes.size() - at - element->head;
    if (element->length > left) {
      throw Error(what + ": got " + std::to_string(left) + " bytes of an element, expected " +
                  std::to_string(element->length));
    }
    at += element->head + element->length;
  }
  if (!found) {
    throw Error(what + ": got no " + missing + ", expected one");
  }
}

}  // namespace

VideoContainer video_container(Bytes bytes) {
  if (has_text(bytes, 0, "\x1a\x45\xdf\xa3")) {
    return VideoContainer::kMatroska;
  }
  if (has_text(bytes, 4, "ftyp")) {
    return VideoContainer::kMp4;
  }
  const bool avi = has_text(bytes, 0, "RIFF") && has_text(bytes, 8, "AVI ");
  return avi ? VideoContainer::kAvi : VideoContainer::kNone;
}

void check_video_container(Bytes bytes, const std::string& name) {
  constexpr std::uint64_t kMoov = 0x6d6f6f76;  // "moov", the index of an MP4
  switch (video_container(bytes)) {
    case VideoContainer::kNone:
      throw Error(name + ": video: got " + first_bytes_text(bytes) +
                  ", expected Matroska, WebM, MP4, MOV or AVI");
    case VideoContainer::kMatroska:
      return check_elements(bytes, matroska_element, kSegment, name + ": Matroska", "segment");
    case VideoContainer::kMp4:
      return check_elements(bytes, mp4_box, kMoov, name + ": MP4", "box \"moov\"");
    case VideoContainer::kAvi:
      if (little_endian(bytes, 4, 4) > bytes.size() - 8) {
        throw cut_short(name, "AVI", bytes.size() - 8, little_endian(bytes, 4, 4));
      }
  }
}

}  // namespace assay
