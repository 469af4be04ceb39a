// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/video_file.h"

#include "reference/family/media/video_container.h"
#include "reference/family/media/video_decoder.h"

namespace assay {

bool looks_like_video(std::span<const std::byte> bytes) {
  return video_container(bytes) != VideoContainer::kNone;
}

Video decode_video(std::span<const std::byte> bytes, const std::string& name,
                   std::size_t num_frames) {
  check_video_container(bytes, name);
  return decode_checked_video(bytes, name, num_frames);
}

}  // namespace assay
