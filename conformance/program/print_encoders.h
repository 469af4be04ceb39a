// SPDX-License-Identifier: Apache-2.0
// What `assay inspect` says about the encoders of a checkpoint.
#pragma once

#include "reference/family/checkpoint/checkpoint.h"

namespace assay::program {

// One line for each encoder and one for the budgets; nothing for a text model.
void print_encoders(const Checkpoint& checkpoint);

}  // namespace assay::program
