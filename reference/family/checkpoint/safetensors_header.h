// SPDX-License-Identifier: Apache-2.0
// The JSON header of a safetensors file, read event by event: memory stays in proportion to the
// header's own bytes, whatever it holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reference/family/checkpoint/stored_tensor.h"

namespace assay {

// The tensors in the order of the header; names are unique, offsets and shapes not yet checked
// against each other. "__metadata__" may be there, as an object of strings, and is dropped.
std::vector<StoredTensor> parse_safetensors_header(std::string_view header,
                                                   const std::string& label);

}  // namespace assay
