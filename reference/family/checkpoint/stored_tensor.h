// SPDX-License-Identifier: Apache-2.0
// What a file says about a tensor, whatever the file's format.
#pragma once

#include <cstddef>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/dtype.h"

namespace assay {

inline std::size_t num_elements(std::span<const std::size_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

struct StoredTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::size_t> shape;  // row-major
  std::size_t elements = 0;
  std::size_t begin = 0;  // bytes, from the start of the data section
  std::size_t end = 0;
};

// Bytes of dtype x shape.
inline std::size_t tensor_bytes(const StoredTensor& tensor) {
  return tensor_size(tensor.dtype, tensor.shape, printable(tensor.name) + ": ").bytes;
}

// What a format's parser finds: names are unique, ranges lie in the file and do not overlap.
struct ContainerLayout {
  std::size_t data_begin = 0;  // of the data section, from the start of the file
  std::vector<StoredTensor> tensors;
};

}  // namespace assay
