// SPDX-License-Identifier: Apache-2.0
// Samples to the log-mel frames that an encoder reads, each step shown.
//
//   samples -> frames_windowed -> magnitude -> mel_linear -> mel, mel_mask
//
// The numbers are those of reference/family/preprocess, the same in both builds. The mask has a 1
// for each frame and a 0 for each one that filling the clip up to a multiple of 128 samples would
// add. Spec: multimodal 5.2, 7.1.
#pragma once

#include <vector>

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/preprocess/log_mel.h"

namespace assay::ASSAY_REFERENCE {

// [T, 128]. Taps audio.samples … audio.mel_linear below `tap`; the result's own are emit_mel's.
// Throws Error on samples that make no frame, or are not finite.
Tensor<T, F> audio_preprocessor(std::vector<float> samples, const Profile& profile,
                                const TapScope& tap);

// Taps audio.mel and audio.mel_mask: all `frames`, the first ones are mel's.
void emit_mel(Tensor<T, F>& mel, std::size_t frames, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
