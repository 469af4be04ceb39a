// SPDX-License-Identifier: Apache-2.0
// Taps of the audio encoder in the shapes of the catalogue.
#pragma once

#include <cstddef>

#include "optimized/engine/taps.h"

namespace assay::cpu {

// Points [times * frequencies, channels] as [channels, times, frequencies].
void emit_channels_first(const TapScope& tap, const char* name, const Rows& points,
                         std::size_t times, std::size_t frequencies);

// Scores [T, heads * window] by distance as [heads, T, T] by key, 0 outside the window.
void emit_by_key(const TapScope& tap, const char* name, const Rows& scores, std::size_t window);

}  // namespace assay::cpu
