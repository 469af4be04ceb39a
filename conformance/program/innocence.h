// SPDX-License-Identifier: Apache-2.0
// assay mutate --innocent: honest programs, none of which may be refused.
//
// With --report each run that is done is a line of innocent.jsonl, from which --resume goes on:
//
//   {"precision", "case", "positions", "seed", "kinds": [...], "what", "refused_at": "" or a tap}
#pragma once

#include "conformance/program/options.h"

namespace assay::program {

// Exit status: 0 when none was refused.
int try_innocence(const MutateOptions& options);

}  // namespace assay::program
