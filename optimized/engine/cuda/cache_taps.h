// SPDX-License-Identifier: Apache-2.0
// Taps of what caches on a device hold.
#pragma once

#include <cstddef>

#include "optimized/engine/cuda/kv_cache.h"
#include "optimized/engine/cuda/shown.h"
#include "optimized/engine/taps.h"

namespace assay::cuda {

// k_ctx and v_ctx: the keys and values [first, end) that a layer attends to, and whose they are.
void emit_context(const cpu::TapScope& tap, std::size_t source, std::size_t first, std::size_t end,
                  const LayerCache& cache, Stream& stream, Shown& shown);

// What each layer remembers after the call, as a cache without room to spare would: all tokens, or
// the last W - 1.
void emit_caches(const cpu::TapScope& tap, const TextConfig& config, const KvCache& cache,
                 Stream& stream, Shown& shown);

}  // namespace assay::cuda
