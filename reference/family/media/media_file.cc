// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/media_file.h"

#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/media/audio_format.h"
#include "reference/family/media/file_bytes.h"
#include "reference/family/media/video_container.h"

namespace assay {
namespace {

std::size_t largest_file(MediaKind kind) {
  switch (kind) {
    case MediaKind::kVideo:
      return kMaxVideoFileBytes;
    case MediaKind::kAudio:
      return kMaxAudioFileBytes;
    case MediaKind::kImage:
    case MediaKind::kFrame:
      break;
  }
  return kMaxImageFileBytes;
}

}  // namespace

std::optional<MediaKind> media_kind_of(std::span<const std::byte> bytes) {
  if (looks_like_image(bytes)) {
    return MediaKind::kImage;
  }
  if (looks_like_audio(bytes)) {
    return MediaKind::kAudio;
  }
  if (!looks_like_video(bytes)) {
    return {};
  }
  return holds_only_audio(bytes) ? MediaKind::kAudio : MediaKind::kVideo;
}

bool needs_ffmpeg(std::span<const std::byte> bytes, MediaKind kind) {
  const bool like_video = looks_like_video(bytes) || audio_format(bytes) == AudioFormat::kAac;
  return kind == MediaKind::kVideo || (kind == MediaKind::kAudio && like_video);
}

MediaContent decode_media(std::span<const std::byte> bytes, MediaKind kind, const std::string& name,
                          const FrameChoice& frames) {
  switch (kind) {
    case MediaKind::kVideo:
      return decode_video(bytes, name, frames);
    case MediaKind::kAudio:
      return decode_audio(bytes, name);
    case MediaKind::kImage:
    case MediaKind::kFrame:
      break;
  }
  return decode_image(bytes, name);
}

MediaContent read_media_file(const std::filesystem::path& path, MediaKind kind,
                             const FrameChoice& frames) {
  return decode_media(read_file_bytes(path, largest_file(kind)), kind, file_label(path), frames);
}

}  // namespace assay
