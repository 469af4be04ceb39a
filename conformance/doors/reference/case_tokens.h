// SPDX-License-Identifier: Apache-2.0
// A case's ids, types and soft-token embeddings as the reference takes them.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "conformance/interface/implementation.h"
#include "reference/model/transformer.h"

namespace assay::ASSAY_REFERENCE {

// Throws when types, positions or soft-token embeddings do not fit the ids. Media must
// be soft-token embeddings.
TokenChunk tokens_of(const conformance::CaseInput& input, const TextConfig& config);

// Taps text.ids_expanded and text.mm_type. What a listener writes into them holds from then on.
void emit_prompt(TokenChunk& tokens, Taps& taps);

// [first, end) of each call when a prompt is fed `chunk` tokens at a time (0: all at once). A
// vision block is never cut: its chunk grows to hold it.
std::vector<std::pair<std::size_t, std::size_t>> calls_of(const TokenChunk& tokens,
                                                          std::size_t chunk, bool vision_blocks);

}  // namespace assay::ASSAY_REFERENCE
