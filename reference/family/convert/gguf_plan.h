// SPDX-License-Identifier: Apache-2.0
// Which tensors a GGUF file gets: of a model or drafter, or of its encoders.
#pragma once

#include <string>
#include <vector>

#include "reference/family/convert/target_values.h"

namespace assay {

enum class GgufPart { kModel, kProjector };

struct GgufPlan {
  std::vector<PlannedTensor> tensors;
  std::vector<std::string> in_halves;  // those that became F16 for their rows' sake
  std::vector<std::string> left_out;   // weights, by their Hugging Face names
};

// `type`: of the matrices.
GgufPlan plan_gguf(const Checkpoint& checkpoint, GgufPart part, DType type);

}  // namespace assay
