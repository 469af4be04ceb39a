// SPDX-License-Identifier: Apache-2.0
// What an item of media is. A frame is an image out of a video: it fills video tokens.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace assay {

enum class MediaKind : std::int32_t { kImage, kFrame, kVideo, kAudio };

struct MediaKindName {
  MediaKind kind;
  const char* name;         // in files and messages
  std::int32_t token_type;  // of the tokens it fills; 0 is text
};

constexpr std::array<MediaKindName, 4> kMediaKinds = {{{MediaKind::kImage, "image", 1},
                                                       {MediaKind::kFrame, "frame", 2},
                                                       {MediaKind::kVideo, "video", 2},
                                                       {MediaKind::kAudio, "audio", 3}}};

constexpr const char* media_kind_name(MediaKind kind) {
  for (const MediaKindName& each : kMediaKinds) {
    if (each.kind == kind) {
      return each.name;
    }
  }
  return "of unknown kind";
}

constexpr std::optional<MediaKind> find_media_kind(std::string_view name) {
  for (const MediaKindName& each : kMediaKinds) {
    if (each.name == name) {
      return each.kind;
    }
  }
  return std::nullopt;
}

// 0 for a kind that is none.
constexpr std::int32_t token_type_of(MediaKind kind) {
  for (const MediaKindName& each : kMediaKinds) {
    if (each.kind == kind) {
      return each.token_type;
    }
  }
  return 0;
}

}  // namespace assay
