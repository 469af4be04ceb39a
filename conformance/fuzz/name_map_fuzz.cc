// SPDX-License-Identifier: Apache-2.0
// A map of a dump's names to taps, and names looked up in it.
#include <string>

#include "conformance/fuzz/fuzz_target.h"
#include "conformance/records/name_map.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(assay::fuzz::text_of(data, size));
  assay::fuzz::expect_lines([&text] {
    const auto map = assay::conformance::NameMap::parse(text, "map.csv");
    map.tap_of("model.layers.0.self_attn.q_proj");
    map.tap_of(text.substr(0, text.find('\n')));
  });
  return 0;
}
