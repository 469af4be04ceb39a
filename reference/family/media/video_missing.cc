// SPDX-License-Identifier: Apache-2.0
// The second implementation of video_ffmpeg.cc for a build without FFmpeg's libraries.
#include "reference/family/base/error.h"
#include "reference/family/media/video_decoder.h"

namespace assay {

bool video_support() {
  return false;
}

Video decode_checked_video(std::span<const std::byte>, const std::string& name, std::size_t) {
  throw Error(name +
              ": video: got a build without FFmpeg's libraries, expected one with them (install "
              "libavcodec-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev and "
              "configure with -DASSAY_VIDEO=ON)");
}

}  // namespace assay
