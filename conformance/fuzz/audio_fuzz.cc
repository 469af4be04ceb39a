// SPDX-License-Identifier: Apache-2.0
#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/media/audio_file.h"

// libsndfile 1.2 forgets what libvorbis gave it when a damaged Vorbis stream does not open.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:vorbis_info_init";
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = assay::fuzz::bytes_of(data, size);
  assay::fuzz::expect_lines([bytes] { assay::decode_audio(bytes, "input"); });
  return 0;
}
