// SPDX-License-Identifier: Apache-2.0
// One layer of the audio encoder: half a feed-forward, attention, convolution, the other half.
//
//   h = h + 1/2 ffn1(h)
//   h = h + rms_norm( c( attention( rms_norm( c(h) ) ) ) )
//   h = h + light_conv(h)
//   h = h + 1/2 ffn2(h)
//   y = rms_norm( c(h) )                                     the layer's output is the norm's
//
// c is the activation clamp. Gulati et al. 2020 (Conformer); post norms and clamp are Gemma's.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/audio/_modules.py, ConformerLayer.
// Spec: multimodal 5.6, RC-6 to RC-19.
#pragma once

#include "reference/blocks/audio_attention.h"
#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/weights/audio_weights.h"

namespace assay::ASSAY_REFERENCE {

// Taps ffn1.* … out below `tap` ("audio.layer.0.").
Tensor<T, D> conformer_layer(const ConformerLayerWeights& w, const AudioConfig& config,
                             const AudioWindow& window, Tensor<T, D> residual, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
