// SPDX-License-Identifier: Apache-2.0
// A case's ids, types and soft vectors as the reference takes them.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "conformance/interface/implementation.h"
#include "reference/model/transformer.h"

namespace assay::ASSAY_REFERENCE {

// Throws when types, positions or soft vectors do not fit the ids. Without token
// types a placeholder is known by its id.
TokenChunk tokens_of(const conformance::CaseInput& input, const TextConfig& config);

// [first, end) of each call when a prompt is fed `chunk` tokens at a time (0: all at once). A
// vision block is never cut: its chunk grows to hold it.
std::vector<std::pair<std::size_t, std::size_t>> calls_of(const TokenChunk& tokens,
                                                          std::size_t chunk, bool vision_blocks);

}  // namespace assay::ASSAY_REFERENCE
