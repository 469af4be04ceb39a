// SPDX-License-Identifier: Apache-2.0
#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/media/image_file.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = assay::fuzz::bytes_of(data, size);
  assay::fuzz::expect_lines([bytes] { assay::decode_image(bytes, "input"); });
  return 0;
}
