// SPDX-License-Identifier: Apache-2.0
// Greedy decoding, one token at a time, through the cache.
//
//   x_p = argmax_v logits[p-1, v] over v not suppressed;  ties to the lower id
//
// Suppressed ids (12B: 258883 and 258882, whose embedding rows hold something else) are left out
// of the choice here and nowhere else: the logits keep them.  Spec: R-80.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/model/transformer.h"

namespace assay::ASSAY_REFERENCE {

// Ordinary tokens at positions first, first + 1, ...
TokenChunk text_chunk(const std::vector<std::int32_t>& ids, std::size_t first);

// Rows [first, end) of a chunk as a chunk of their own.
TokenChunk slice(const TokenChunk& chunk, std::size_t first, std::size_t end);

// Row r of x as a tensor of one row.
Tensor<T, D> one_row(const Tensor<T, D>& x, std::size_t r);

std::int32_t greedy_token(std::span<const Real> logits,
                          const std::vector<std::int32_t>& suppressed);

// `count` tokens after the prompt.
std::vector<std::int32_t> generate_greedy(const Transformer& model, const TokenChunk& prompt,
                                          std::size_t count);

}  // namespace assay::ASSAY_REFERENCE
