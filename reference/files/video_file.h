// SPDX-License-Identifier: Apache-2.0
// Frames and sound track of a video file, through FFmpeg's libraries.
//
// An optional component: without them video_support() is false and reading throws an Error that
// says how to get it. Only the chosen frames are kept; frames are counted first, so memory is
// bounded by the number that is asked for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reference/files/sound_file.h"
#include "reference/preprocess/image.h"

namespace assay {

struct Video {
  std::size_t frames_in_file = 0;
  double fps = 0;                    // 0: the file does not say
  std::vector<std::size_t> indices;  // of the frames below, in the file
  std::vector<Image> frames;         // upright RGB, all of one size
  std::optional<Sound> sound;        // the first sound track
};

bool video_support();
bool looks_like_video(std::span<const std::byte> bytes);
Video decode_video(std::span<const std::byte> bytes, const std::string& name,
                   std::size_t num_frames);
Video read_video_file(const std::filesystem::path& path, std::size_t num_frames);

}  // namespace assay
