// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/media_file.h"

#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/media/file_bytes.h"

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

Audio decode_samples(std::span<const std::byte> bytes, const std::string& name) {
  if (!looks_like_video(bytes)) {
    return decode_audio(bytes, name);
  }
  auto video = decode_video(bytes, name, 1);
  if (!video.audio) {
    throw Error(name + ": got a video without an audio track, expected one");
  }
  return std::move(*video.audio);
}

}  // namespace

std::optional<MediaKind> media_kind_of(std::span<const std::byte> bytes) {
  if (looks_like_image(bytes)) {
    return MediaKind::kImage;
  }
  if (looks_like_audio(bytes)) {
    return MediaKind::kAudio;
  }
  return looks_like_video(bytes) ? std::optional(MediaKind::kVideo) : std::nullopt;
}

MediaContent decode_media(std::span<const std::byte> bytes, MediaKind kind, const std::string& name,
                          std::size_t num_frames) {
  switch (kind) {
    case MediaKind::kVideo:
      return decode_video(bytes, name, num_frames);
    case MediaKind::kAudio:
      return decode_samples(bytes, name);
    case MediaKind::kImage:
    case MediaKind::kFrame:
      break;
  }
  return decode_image(bytes, name);
}

MediaContent read_media_file(const std::filesystem::path& path, MediaKind kind,
                             std::size_t num_frames) {
  return decode_media(read_file_bytes(path, largest_file(kind)), kind, file_label(path),
                      num_frames);
}

}  // namespace assay
