// SPDX-License-Identifier: Apache-2.0
// What implements video_file.h: video_ffmpeg.cc where FFmpeg's libraries were found, else
// video_missing.cc.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/media/video_file.h"

namespace assay {

// The container has been checked.
Video decode_checked_video(std::span<const std::byte> bytes, const std::string& name,
                           std::size_t num_frames);

}  // namespace assay
