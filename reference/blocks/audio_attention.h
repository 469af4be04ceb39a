// SPDX-License-Identifier: Apache-2.0
// Self-attention of the audio encoder: causal, over a window of 12 rows, by relative distance.
//
//   q = q_proj x * softplus(per_dim_scale) * H^(-1/2) / ln 2        k = k_proj x * ln(1 + e) / ln 2
//   v = v_proj x                                              rel_k = relative_k_proj rel_pos_table
//   logits[t, t-w] = q[t] . k[t-w] + q[t] . rel_k(w)          0 <= w < W
//   y = post concat_n( sum_w softmax_w( 50 tanh(logits / 50) ) v[t-w] )
//
// The projections and post are clipped linears; relative_k_proj is a plain one, and its keys are
// not scaled. W is attention_context_left - 1 (DIV-M04), so the farthest row of the table is
// unused. Source: google-deepmind/gemma@7691fd4 gm/nn/gemma4/audio/_modules.py,
// LocalDotProductAttention. Spec: multimodal 5.6, RC-8 to RC-15.
#pragma once

#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/media_config.h"
#include "reference/weights/audio_weights.h"

namespace assay::ASSAY_REFERENCE {

// What every layer of an audio clip shares.
struct AudioWindow {
  std::size_t keys = 0;        // W: the row itself and those before it
  Tensor<R, D> rel_pos_table;  // [distances, D], the farthest first
};

// x [T, D] is the normed residual; returns post's output [T, D].
Tensor<T, D> audio_attention(const AudioAttentionWeights& w, const AudioConfig& config,
                             const AudioWindow& window, const Tensor<T, D>& x, const TapScope& tap);

}  // namespace assay::ASSAY_REFERENCE
