// SPDX-License-Identifier: Apache-2.0
// Of programs that are carried to other machines: no media files, and none of their libraries.
// Goldens give pixels and samples.
#include "conformance/doors/status_of.h"
#include "reference/family/media/media_file.h"

namespace assay {

bool needs_ffmpeg(std::span<const std::byte>, MediaKind) {
  return false;
}

bool video_support() {
  return false;
}

MediaContent decode_media(std::span<const std::byte>, MediaKind, const std::string& name,
                          const FrameChoice&) {
  throw conformance::NotBuilt(name + ": this program reads no media files");
}

}  // namespace assay
