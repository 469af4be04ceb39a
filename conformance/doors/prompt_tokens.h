// SPDX-License-Identifier: Apache-2.0
// A case's ids, types, positions and soft-token embeddings, checked: the same for every door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "conformance/interface/case.h"
#include "reference/family/config/config.h"

namespace assay::conformance {

struct PromptTokens {
  std::vector<std::int32_t> ids;        // [T]
  std::vector<std::int32_t> types;      // [T] 0 text, 1 image, 2 video, 3 audio
  std::vector<std::int32_t> positions;  // [T]
  std::vector<bool> valid;              // [T] false: padding
  std::vector<double>
      soft;  // [T, hidden_size] rows of placeholders, 0 elsewhere; empty without any
};

// The type of each token. Without the case's own a placeholder is known by its id.
std::vector<std::int32_t> token_types_of(const CaseInput& input, const TextConfig& config);

// Throws Error when types, positions or soft-token embeddings do not fit the ids.
// Media must be soft-token embeddings.
PromptTokens prompt_tokens(const CaseInput& input, const TextConfig& config);

// [first, end) of each call when a prompt is fed `chunk` tokens at a time (0: all at once). A
// vision block is never cut: its chunk grows to hold it.
std::vector<std::pair<std::size_t, std::size_t>> calls_of(const std::vector<std::int32_t>& types,
                                                          std::size_t chunk, bool vision_blocks);

}  // namespace assay::conformance
