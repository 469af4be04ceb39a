// SPDX-License-Identifier: Apache-2.0
// The kernel below attention.h: some rows of queries and a range of keys.
#pragma once

#include <cstddef>

#include "optimized/kernels/attention.h"

namespace assay::cpu {

constexpr std::size_t kTileQueries = 64;
constexpr float kHidden = -1e30F;  // a score that no query sees
// Of the largest probability of a row: less counts as 0. It would not change the sum, and numbers
// below the normal range would take a hundred times as long.
constexpr float kLeastShare = 1e-30F;

struct AttentionTile {
  std::size_t rows = 0;  // at most kTileQueries
  const float* queries[kTileQueries] = {};
  VisibleKeys visible[kTileQueries] = {};
  std::size_t first = 0;  // of the keys that any row sees
  std::size_t end = 0;
  // Of each row: unnormalised sums, 0 before the first key; the largest score, kHidden before; and
  // what divides the sums, which is written.
  float* out = nullptr;   // [kTileQueries][value_stride]
  float* most = nullptr;  // [kTileQueries]
  float* sum = nullptr;
  float* panels = nullptr;   // room for kTileQueries rows of queries
  float* widened = nullptr;  // room for a block of keys, one of values and their scales
};

// Rows of the tile and room for rows up to kTileQueries in every array.
void attend(const AttentionTile& tile, const HeadCache& cache);

}  // namespace assay::cpu
