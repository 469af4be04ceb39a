// SPDX-License-Identifier: Apache-2.0
// The layout of a safetensors file:
//
//   8 bytes   length N of the header, little endian
//   N bytes   JSON: {"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, …}
//   the rest  the tensors' bytes, row-major; offsets count from here
//
// Names are unique, the byte count is that of dtype and shape, and the ranges tile the data section
// without gap or overlap.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "reference/family/checkpoint/stored_tensor.h"

namespace assay {

// `label` is the file's name in messages.
ContainerLayout parse_safetensors(std::span<const std::byte> bytes, const std::string& label);

}  // namespace assay
