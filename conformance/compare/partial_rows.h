// SPDX-License-Identifier: Apache-2.0
// A tap of which a dump holds the first or the last rows only, as text.logits of a server that
// computes one row of them, [1, V] or [V] for [T, V]; or more rows than the prompt has, padded at
// the beginning or at the end.
#pragma once

#include <optional>
#include <string>

#include "conformance/records/tap.h"

namespace assay::conformance {

enum class RowEnd { kFirst, kLast };

// At which end of the truth's rows those of the dump are, or the truth's of them. Nothing unless
// `truth` has a row per token and `got` whole rows, more or fewer. The end is that which is nearer;
// several rows that are near neither are no part of the truth, a lone one is the last.
std::optional<RowEnd> end_of_rows(const Tap& truth, const Tap& got);

// The tap with the truth's shape, its rows where they belong and the others marked as absent.
std::optional<Tap> place_rows(const Tap& truth, const Tap& got, RowEnd end);
std::optional<Tap> placed_rows(const Tap& truth, const Tap& got);

// "holds 14 rows, of which the last 11 are the case's; the others are taken for padding".
std::string describe_padding(const Tap& truth, const Tap& got, RowEnd end);

// "holds the last of 11 rows and is judged by it".
std::string describe_rows(const Tap& placed);

}  // namespace assay::conformance
