// SPDX-License-Identifier: Apache-2.0
// Taps of what caches hold.
#pragma once

#include <cstddef>
#include <vector>

#include "optimized/engine/kv_cache.h"
#include "optimized/engine/taps.h"

namespace assay::cpu {

// k_ctx and v_ctx: the keys and values [first, end) that a layer attends to, and whose they are.
void emit_context(const TapScope& tap, std::size_t source, std::size_t first, std::size_t end,
                  const std::vector<HeadCache>& heads);

// What each layer remembers after the call, as a cache without room to spare would: all tokens, or
// the last W - 1.
void emit_caches(const TapScope& tap, const TextConfig& config, const KvCache& cache);

}  // namespace assay::cpu
