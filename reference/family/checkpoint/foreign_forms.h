// SPDX-License-Identifier: Apache-2.0
// Quantised forms that are not read, told by the names of their tensors and called by their own.
#pragma once

#include <string>

#include "reference/family/checkpoint/tensor_parts.h"
#include "reference/family/config/quantization_config.h"

namespace assay {

// "FILE: NAME: got weights quantised by FORM, not supported; expected …"
[[noreturn]] void refuse_form(const TensorPart& part, const std::string& form);

// Whether the config names a method whose tensors look like those of a form that is read.
bool is_foreign_method(const QuantizationConfig& config);

// Throws where one of `parts` belongs to such a form, or has a type that no weight has while the
// config says that the weights are quantised.
void refuse_foreign_forms(const QuantizationConfig& config, const TensorParts& parts);

}  // namespace assay
