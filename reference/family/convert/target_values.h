// SPDX-License-Identifier: Apache-2.0
// The values of one weight in the order in which another form has them, and how they get into its
// file, a few rows at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/checkpoint/gguf_names.h"
#include "reference/family/checkpoint/stored_tensor.h"
#include "reference/family/checkpoint/tensor_table.h"

namespace assay {

// A tensor of the file to be written.
struct PlannedTensor {
  StoredTensor stored;                    // its name, type and shape there
  std::string weight;                     // as the checkpoint calls it
  GgufLayout layout = GgufLayout::kSame;  // of the file, against the checkpoint's
  std::vector<float> made;                // of a tensor that no weight of the checkpoint is
};

// What is converted: all weights that are ever read, the head among them where it is one of its
// own.
std::vector<ExpectedTensor> weights_of(const Checkpoint& checkpoint);

// A line for the user where the checkpoint has scales of activations: once weights are plain
// numbers, no form has a place for them.
std::vector<std::string> scale_notes(const Checkpoint& checkpoint);

using AppendBytes = std::function<void(std::span<const std::byte>)>;

// Throws, naming the tensor and the element, where a value is not finite or too large for the type.
void write_values(const Checkpoint& checkpoint, const PlannedTensor& tensor,
                  const AppendBytes& append);

}  // namespace assay
