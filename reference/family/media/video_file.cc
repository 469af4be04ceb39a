// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/video_file.h"

#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/media/video_container.h"
#include "reference/family/media/video_decoder.h"

namespace assay {

bool looks_like_video(std::span<const std::byte> bytes) {
  return video_container(bytes) != VideoContainer::kNone;
}

Video decode_video(std::span<const std::byte> bytes, const std::string& name,
                   const FrameChoice& choice) {
  check_video_container(bytes, name);
  return decode_checked_video(bytes, name, choice);
}

Audio decode_audio_track(std::span<const std::byte> bytes, const std::string& name) {
  if (video_container(bytes) != VideoContainer::kNone) {
    check_video_container(bytes, name);
  }
  auto audio = decode_checked_audio_track(bytes, name);
  if (!audio) {
    throw Error(name + ": got a video without an audio track, expected one");
  }
  return std::move(*audio);
}

}  // namespace assay
