// SPDX-License-Identifier: Apache-2.0
// The tensors of a file to be written, whatever its format.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "reference/family/convert/convert.h"
#include "reference/family/convert/target_values.h"

namespace assay {

// What a file says about each.
std::vector<StoredTensor> descriptions_of(std::span<const PlannedTensor> tensors);

// Without what a format puts between them.
std::size_t bytes_of(std::span<const PlannedTensor> tensors);

// Gives the bytes of all of them to `append`, in order, and tells `listener` how far it is.
void write_tensors(const Checkpoint& checkpoint, std::span<const PlannedTensor> tensors,
                   const AppendBytes& append, ConvertProgress& progress,
                   const ConvertListener& listener);

}  // namespace assay
