// SPDX-License-Identifier: Apache-2.0
// The 12B's way from samples to soft tokens: no window, no spectrum, no encoder.
//
//   row i = samples 640 i ... 640 i + 639         the last row filled with zeros
//   out   = multimodal_embedder(row)              RMS norm over the 640 samples, then a projection
//
// The norm takes the loudness out of every row by itself; a silent row stays 0.
// Source: transformers 5.22.2 gemma4_unified.  Spec: multimodal 5.8, RU-6, RU-7.
#pragma once

#include <span>

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/family/config/profile.h"

namespace assay::ASSAY_REFERENCE {

// [ceil(samples / width), width]. Throws Error for a sample that is no finite number, and for a
// width of 0.
Tensor<T, I> audio_rows(std::span<const float> samples, std::size_t width);

// rows [n, 640], n > 0; projection [Dtext, 640]. Taps unified.audio.frames and audio.embed.* below
// `tap`.
Tensor<T, D> unified_audio_embedder(const UnifiedAudioConfig& config,
                                    const Tensor<O, I>& projection, EmbedOrder order,
                                    Tensor<T, I> rows, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
