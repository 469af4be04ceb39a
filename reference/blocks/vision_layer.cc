// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/vision_layer.h"

#include "reference/blocks/vision_mlp.h"
#include "reference/ops/rms_norm.h"

namespace assay::ASSAY_REFERENCE {

Tensor<T, D> vision_layer(const VisionLayerWeights& w, const VisionConfig& config,
                          Tensor<T, D> residual, const VisionCall& call, const TapScope& tap) {
  const double eps = config.rms_norm_eps;

  // 1. Attention
  auto h = rms_norm(residual, w.input_layernorm, eps);  // [T, D]
  tap.whole("attn_norm", h);
  h = vision_attention(w.self_attn, config, h, call, tap.under("attn."));  // [T, D]
  h = rms_norm(h, w.post_attention_layernorm, eps);                        // [T, D]
  tap.whole("attn_post_norm", h);
  residual += h;
  tap.whole("attn_residual", residual);

  // 2. Feed-forward
  h = rms_norm(residual, w.pre_feedforward_layernorm, eps);  // [T, D]
  tap.whole("ffn_norm", h);
  h = vision_mlp(w.mlp, h, tap.under("mlp."));         // [T, D]
  h = rms_norm(h, w.post_feedforward_layernorm, eps);  // [T, D]
  tap.whole("ffn_post_norm", h);
  residual += h;
  tap.whole("out", residual);
  return residual;
}

}  // namespace assay::ASSAY_REFERENCE
