// SPDX-License-Identifier: Apache-2.0
#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/config/load_config.h"
#include "reference/family/config/load_processor_config.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = assay::fuzz::text_of(data, size);
  assay::fuzz::expect_lines([text] { assay::parse_config(text); });
  assay::fuzz::expect_lines([text] {
    assay::ModelConfig config;
    assay::parse_processor_config(text, "processor_config.json", config);
  });
  return 0;
}
