// SPDX-License-Identifier: Apache-2.0
// What a user should hear of a checkpoint: keys that are not understood, tensors left aside.
#pragma once

#include "reference/family/checkpoint/checkpoint.h"

namespace assay::program {

// "note: …", a line each, on standard error; a line is printed once in the program's life, however
// many judges open the checkpoint.
void print_notes(const Checkpoint& checkpoint);

}  // namespace assay::program
