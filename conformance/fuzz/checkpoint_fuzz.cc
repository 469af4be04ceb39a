// SPDX-License-Identifier: Apache-2.0
// A checkpoint of one GGUF file: its config from the metadata, then the first and the last elements
// of every tensor by name.
#include <algorithm>
#include <vector>

#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/checkpoint/tensor_table.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const assay::fuzz::MemoryFile file;
  file.hold(assay::fuzz::bytes_of(data, size));
  assay::fuzz::expect_lines([] {
    const auto checkpoint = assay::Checkpoint::open(file.path());
    for (const assay::ExpectedTensor& tensor : assay::expected_tensors(checkpoint.config())) {
      if (!checkpoint.has(tensor.name) || tensor.use == assay::TensorUse::kInteger) {
        continue;
      }
      std::size_t elements = 1;
      for (const std::size_t extent : checkpoint.shape(tensor.name)) {
        elements *= extent;
      }
      std::vector<float> values(std::min<std::size_t>(elements, 300));
      checkpoint.read(tensor.name, 0, values.size(), values.data());
      checkpoint.read(tensor.name, elements - values.size(), values.size(), values.data());
    }
  });
  return 0;
}
