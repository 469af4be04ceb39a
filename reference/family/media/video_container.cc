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

using ElementAt = std::optional<Element> (*)(Bytes, std::size_t);

// Calls `visit(id, content)` for the elements of `bytes`, as far as they are whole.
template <class Visit>
void for_each_element(Bytes bytes, ElementAt element_at, const Visit& visit) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto element = element_at(bytes, at);
    if (!element || element->head > bytes.size() - at) {
      return;
    }
    const std::size_t left = bytes.size() - at - element->head;
    const std::size_t length = std::min<std::uint64_t>(element->length, left);
    visit(element->id, bytes.subspan(at + element->head, length));
    at += element->head + length;
  }
}

constexpr int kTrackDepth = 4;  // of the containers below: what nests deeper is no track

struct Tracks {
  std::size_t images = 0, audio = 0;
};

// moov, trak, mdia, hdlr: its handler is "vide" or "soun".
void add_mp4_tracks(Bytes bytes, Tracks& tracks, int depth = 0) {
  constexpr std::uint64_t kMoov = 0x6d6f6f76, kTrak = 0x7472616b, kMdia = 0x6d646961,
                          kHdlr = 0x68646c72;
  for_each_element(bytes, mp4_box, [&](std::uint64_t id, Bytes content) {
    if (depth < kTrackDepth && (id == kMoov || id == kTrak || id == kMdia)) {
      add_mp4_tracks(content, tracks, depth + 1);
    } else if (id == kHdlr) {
      tracks.images += has_text(content, 8, "vide") ? 1 : 0;
      tracks.audio += has_text(content, 8, "soun") ? 1 : 0;
    }
  });
}

// Segment, Tracks, TrackEntry, TrackType: 1 is video, 2 audio.
void add_matroska_tracks(Bytes bytes, Tracks& tracks, int depth = 0) {
  constexpr std::uint64_t kTracks = 0x1654AE6B, kEntry = 0xAE, kType = 0x83;
  for_each_element(bytes, matroska_element, [&](std::uint64_t id, Bytes content) {
    if (depth < kTrackDepth && (id == kSegment || id == kTracks || id == kEntry)) {
      add_matroska_tracks(content, tracks, depth + 1);
    } else if (id == kType && content.size() == 1) {
      tracks.images += content[0] == std::byte{1} ? 1 : 0;
      tracks.audio += content[0] == std::byte{2} ? 1 : 0;
    }
  });
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

// AVIF, HEIC and others begin with the same box; MOV may come without it.
bool is_mp4(Bytes bytes) {
  if (has_text(bytes, 4, "ftyp")) {
    const std::string_view kind = file_kind(bytes).value_or(FileKind{}).name;
    return kind == "MP4" || kind == "M4A" || kind == "QuickTime";
  }
  return has_text(bytes, 4, "moov") || has_text(bytes, 4, "mdat") || has_text(bytes, 4, "wide");
}

}  // namespace

VideoContainer video_container(Bytes bytes) {
  if (has_text(bytes, 0, "\x1a\x45\xdf\xa3")) {
    return VideoContainer::kMatroska;
  }
  if (is_mp4(bytes)) {
    return VideoContainer::kMp4;
  }
  const bool avi = has_text(bytes, 0, "RIFF") && has_text(bytes, 8, "AVI ");
  return avi ? VideoContainer::kAvi : VideoContainer::kNone;
}

bool holds_only_audio(Bytes bytes) {
  Tracks tracks;
  const VideoContainer container = video_container(bytes);
  if (container == VideoContainer::kMp4) {
    add_mp4_tracks(bytes, tracks);
  } else if (container == VideoContainer::kMatroska) {
    add_matroska_tracks(bytes, tracks);
  }
  return tracks.audio > 0 && tracks.images == 0;
}

void check_video_container(Bytes bytes, const std::string& name) {
  constexpr std::uint64_t kMoov = 0x6d6f6f76;  // "moov", the index of an MP4
  switch (video_container(bytes)) {
    case VideoContainer::kNone:
      throw Error(name + ": video: " + got_kind_text(bytes, name, kVideoFormats));
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
