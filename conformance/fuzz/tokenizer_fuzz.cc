// SPDX-License-Identifier: Apache-2.0
// tokenizer.json, the tokenizer of a GGUF file, a list of tokens; then text through what was read.
#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/tokenizer/load_tokenizer.h"
#include "reference/family/tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const assay::fuzz::MemoryFile file;
  file.hold(assay::fuzz::bytes_of(data, size));
  assay::fuzz::expect_lines([] {
    const assay::Tokenizer tokenizer(assay::read_any_tokenizer(file.path()));
    const auto ids = tokenizer.encode("a bc<|turn>\n \u00e9<unused0>");
    tokenizer.decode(ids);
  });
  return 0;
}
