// SPDX-License-Identifier: Apache-2.0
// What implements video_file.h: video_ffmpeg.cc where FFmpeg's libraries were found, else
// video_missing.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "reference/family/media/video_file.h"

namespace assay {

// The container has been checked.
Video decode_checked_video(std::span<const std::byte> bytes, const std::string& name,
                           const FrameChoice& choice);

// Nothing where there is no audio track.
std::optional<Audio> decode_checked_audio_track(std::span<const std::byte> bytes,
                                                const std::string& name);

}  // namespace assay
