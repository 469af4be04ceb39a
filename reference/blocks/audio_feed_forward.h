// SPDX-License-Identifier: Apache-2.0
// One of the two half-step feed-forward networks of a conformer layer.
//
//   y = rms_norm( c( ffw_layer_2( silu( ffw_layer_1( rms_norm( c(h) ) ) ) ) ) )
//   h = h + residual_weight * y                               residual_weight = 1/2
//
// c is the activation clamp; both maps are clipped linears. There is no gate.
// Gulati et al. 2020 (Conformer), section 2.3.  Spec: multimodal 5.6, RC-7, RC-8.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/weights/audio_weights.h"

namespace assay::ASSAY_REFERENCE {

// Returns the new residual [T, D]. Taps pre_norm … out below `tap` ("audio.layer.0.ffn1.").
Tensor<T, D> audio_feed_forward(const AudioFeedForwardWeights& w, const AudioConfig& config,
                                Tensor<T, D> residual, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
