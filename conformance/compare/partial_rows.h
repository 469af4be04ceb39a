// SPDX-License-Identifier: Apache-2.0
// A tap of which a dump holds the first or the last rows only, as text.logits of a server that
// computes one row of them, [1, V] or [V] for [T, V].
#pragma once

#include <optional>
#include <string>

#include "conformance/records/tap.h"

namespace assay::conformance {

// The tap with the truth's shape, its rows where they belong and the others marked as absent.
// Nothing unless `truth` has a row per token and `got` whole rows, fewer than the truth. The rows
// are the last ones, or the first where those are nearer; several rows that are near neither of
// them are no part of the truth, and nothing is returned.
std::optional<Tap> placed_rows(const Tap& truth, const Tap& got);

// "holds the last of 11 rows and is judged by it".
std::string describe_rows(const Tap& placed);

}  // namespace assay::conformance
