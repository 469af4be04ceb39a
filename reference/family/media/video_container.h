// SPDX-License-Identifier: Apache-2.0
// The outermost structure of video files, read without any library: FFmpeg's demuxers take the end
// of a cut file for the end of the video and say nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace assay {

inline constexpr std::string_view kVideoFormats = "Matroska, WebM, MP4, MOV or AVI";

enum class VideoContainer { kNone, kMatroska, kMp4, kAvi };

VideoContainer video_container(std::span<const std::byte> bytes);  // by its first bytes

// Whether an MP4 or Matroska file names tracks of audio and none of images.
bool holds_only_audio(std::span<const std::byte> bytes);

// Throws Error when the outermost elements say that the file is longer than it is, or when the one
// that holds the video is missing.
void check_video_container(std::span<const std::byte> bytes, const std::string& name);

}  // namespace assay
