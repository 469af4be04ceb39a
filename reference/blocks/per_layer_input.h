// SPDX-License-Identifier: Apache-2.0
// Per-layer embeddings (E2B, E4B): what each layer is told about the token itself.
//
// Once, before layer 0, from the PLE ids and the merged embedding h0:
//   token[t,l,p] = embed_tokens_per_layer[pid[t], l*P + p] * sqrt(P)
//   ctx[t,l,:]   = rms_norm( (per_layer_model_projection * h0[t]) * D^-1/2 )[l*P ... l*P+P-1]
//   in[t,l,p]    = (ctx + token) * 2^-1/2
// and at the end of each layer:
//   h <- h + rms_norm( per_layer_projection * ( gelu(per_layer_input_gate * h) .* in[:,l,:] ) )
//
// Packing is layer-major, the norm runs over P with one scale for all layers, and placeholder
// positions look up the pad row.  Spec.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/config.h"
#include "reference/weights/load_weights.h"
#include "reference/weights/weights.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, L, P> per_layer_inputs(const WeightReader& reader, const TextConfig& config,
                                 std::vector<std::int32_t> ple_ids, const Tensor<T, D>& h0,
                                 bool bf16_scales, const TapScope& tap);

// Slice l of `in`, as layer l receives it.
Tensor<T, P> per_layer_slice(const Tensor<T, L, P>& in, std::size_t layer);

// The residual branch of one layer; returns h with the branch added.
Tensor<T, D> per_layer_input_block(const PerLayerInputWeights& w, const Tensor<T, D>& h,
                                   const Tensor<T, P>& in, double eps, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
