// SPDX-License-Identifier: Apache-2.0
// The audio encoder's front: four log-mel frames become one row.
//
//   x      = mel                                                  [1, T, F]
//   x      = relu( layer_norm_C( conv2d(x) ) )    twice:          [C, ceil(T/2), F/2], ceil(T/4),
//   F/4 h[t]   = input_proj_linear( x[:, t, :] flattened, channel fastest )
//
// The norm runs over the channels of each point, has a weight and no bias. Frames are all valid:
// whoever pads audio to one length must zero the padding before both convolutions (DIV-M08).
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/audio/_modules.py, SubSamplingBlock.
// Spec: multimodal 5.4, RC-1 to RC-4.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/weights/audio_weights.h"

namespace assay::ASSAY_REFERENCE {

// mel [T, F], T > 0. Returns audio.input_proj [ceil(T/4), D]. Taps subsample.* and input_proj.
Tensor<T, D> audio_subsample(const AudioSubsampleWeights& w, double eps, const Tensor<T, F>& mel,
                             const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
