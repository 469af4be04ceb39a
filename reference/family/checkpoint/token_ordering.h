// SPDX-License-Identifier: Apache-2.0
// The tokens of a drafter with ordered embeddings, cluster by cluster.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/family/checkpoint/checkpoint.h"

namespace assay {

// masked_embedding.token_ordering. Throws Error for a token outside the vocabulary.
std::vector<std::int64_t> read_token_ordering(const Checkpoint& drafter);

}  // namespace assay
