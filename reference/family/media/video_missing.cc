// SPDX-License-Identifier: Apache-2.0
// The second implementation of video_ffmpeg.cc for a build without FFmpeg's libraries.
#include "reference/family/base/error.h"
#include "reference/family/media/video_decoder.h"

namespace assay {

bool video_support() {
  return false;
}

namespace {

Error without_ffmpeg(const std::string& name, const char* what) {
  return Error(name + ": " + what +
               ": got a build without FFmpeg's libraries, expected one with them (install "
               "libavcodec-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev and "
               "configure with -DASSAY_VIDEO=ON)");
}

}  // namespace

Video decode_checked_video(std::span<const std::byte>, const std::string& name,
                           const FrameChoice&) {
  throw without_ffmpeg(name, "video");
}

std::optional<Audio> decode_checked_audio_track(std::span<const std::byte>,
                                                const std::string& name) {
  throw without_ffmpeg(name, "audio track");
}

}  // namespace assay
