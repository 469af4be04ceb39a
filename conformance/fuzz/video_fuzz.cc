// SPDX-License-Identifier: Apache-2.0
// Four frames and the audio track.
#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/media/video_file.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const assay::FrameChoice frames{.count = 4};
  const auto bytes = assay::fuzz::bytes_of(data, size);
  assay::fuzz::expect_lines([&] { assay::decode_video(bytes, "input", frames); });
  return 0;
}
