// SPDX-License-Identifier: Apache-2.0
// One decoder layer: attention, feed-forward, per-layer input, scale.
//
//   h = r + rms_norm( attention( rms_norm(r) ) )
//   h = h + rms_norm( y ),   y = mlp( rms_norm(h) )                       dense
//                            y = rms_norm( mlp( rms_norm(h) ) ) + moe(h)  26B-A4B
//   h = h + per_layer_input(h)                                            E2B, E4B
//   h = layer_scalar * h
//
// Every branch is normed before it is added, so a factor on a branch is invisible after it.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/_modules.py, Block.  Spec.
#pragma once

#include "reference/blocks/self_attention.h"
#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/config.h"
#include "reference/weights/weights.h"

namespace assay::ASSAY_REFERENCE {

struct LayerResult {
  Tensor<T, D> residual;
  KeyValues attended;  // for the layers that share them
};

// `per_layer_input` [T, P] is empty on models without per-layer embeddings. A drafter's layers
// are decoder layers too: they share keys and have neither experts nor per-layer input.
LayerResult decoder_layer(const DecoderLayerWeights& w, const TextConfig& config,
                          const LayerConfig& layer, Tensor<T, D> residual,
                          const Tensor<T, P>& per_layer_input, const AttentionCall& call,
                          const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
