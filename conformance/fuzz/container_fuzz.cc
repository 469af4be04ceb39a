// SPDX-License-Identifier: Apache-2.0
// safetensors and GGUF: the layout, then the first and the last elements of every tensor.
#include <algorithm>
#include <vector>

#include "conformance/fuzz/fuzz_target.h"
#include "reference/family/checkpoint/gguf.h"
#include "reference/family/checkpoint/safetensors.h"

namespace {

constexpr std::size_t kElements = 600;  // beyond two of the largest blocks

void read_tensors(std::span<const std::byte> bytes, const assay::ContainerLayout& layout) {
  for (const assay::StoredTensor& tensor : layout.tensors) {
    const auto stored = bytes.subspan(layout.data_begin + tensor.begin, tensor.end - tensor.begin);
    const std::size_t count = std::min(tensor.elements, kElements);
    std::vector<float> values(count);
    assay::widen(tensor.dtype, stored, 0, count, values.data());
    assay::widen(tensor.dtype, stored, tensor.elements - count, count, values.data());
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = assay::fuzz::bytes_of(data, size);
  assay::fuzz::expect_lines([bytes] {
    read_tensors(bytes, assay::is_gguf(bytes) ? assay::parse_gguf(bytes, "input")
                                              : assay::parse_safetensors(bytes, "input"));
  });
  return 0;
}
