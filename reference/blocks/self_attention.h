// SPDX-License-Identifier: Apache-2.0
// Grouped-query self-attention of one layer, with or without keys of its own.
//
//   q = rope( rms_norm_H( q_proj x ) )          k = rope( rms_norm_H( k_proj x ) )
//   v = rms_norm_H_unscaled( v_proj x )         or of the raw k_proj x, where k_eq_v
//   y = o_proj concat_n( sum_s softmax_s( q k^T, visible s ) v )
//
// Norm comes before RoPE; v has neither scale nor RoPE. A layer that shares keys brings only q.
// Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/_modules.py, Attention.  Spec.
#pragma once

#include <cstddef>
#include <vector>

#include "reference/blocks/kv_cache.h"
#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/config.h"
#include "reference/ops/rope.h"
#include "reference/weights/weights.h"

namespace assay::ASSAY_REFERENCE {

// What attention needs to know of the call it runs in.
struct AttentionCall {
  const RopeTable* rope = nullptr;                 // of this layer's kind, at the query positions
  const IntTensor<T, S>* visible = nullptr;        // of this layer's kind
  const std::vector<std::size_t>* keys = nullptr;  // index in the sequence of each key
  LayerCache* cache = nullptr;                     // where own keys go; null on a sharing layer
  const KeyValues* shared = nullptr;               // what its source attended to; null on others
  std::size_t kv_source = 0;                       // the layer whose keys are attended
};

struct AttentionResult {
  Tensor<T, D> output;  // o_proj's
  KeyValues attended;   // for the layers that share them
};

// x [T, D] is the normed residual.
AttentionResult self_attention(const SelfAttentionWeights& w, const LayerConfig& layer,
                               std::size_t num_heads, double eps, const Tensor<T, D>& x,
                               const AttentionCall& call, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
