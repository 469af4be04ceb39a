// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/decoder_layer.h"

#include "reference/blocks/mlp.h"
#include "reference/blocks/moe.h"
#include "reference/blocks/per_layer_input.h"
#include "reference/ops/rms_norm.h"

namespace assay::ASSAY_REFERENCE {
namespace {

// The feed-forward branch y before its post norm.
Tensor<T, D> feed_forward(const DecoderLayerWeights& w, const TextConfig& config,
                          const Tensor<T, D>& residual, const TapScope& tap) {
  const double eps = config.rms_norm_eps;
  auto norm_in = rms_norm(residual, w.pre_feedforward_layernorm, eps);  // [T, D]
  tap("ffn.norm_in", norm_in);
  auto dense = mlp(w.mlp, norm_in, tap.under("ffn."));  // [T, D]
  if (!w.moe) {
    return dense;
  }
  auto y1 = rms_norm(dense, w.moe->post_feedforward_layernorm_1, eps);  // [T, D]
  tap("moe.dense_norm", y1);
  const auto y2 = moe(*w.moe, *config.moe, residual, eps, tap.under("moe."));  // [T, D]
  Tensor<T, D> combined = y1 + y2;
  tap("moe.combined", combined);
  return combined;
}

}  // namespace

LayerResult decoder_layer(const DecoderLayerWeights& w, const TextConfig& config,
                          const LayerConfig& layer, Tensor<T, D> residual,
                          const Tensor<T, P>& per_layer_input, const AttentionCall& call,
                          const TapScope& tap) {
  const double eps = config.rms_norm_eps;
  tap("in", residual);

  // 1. Attention
  auto h = rms_norm(residual, w.input_layernorm, eps);  // [T, D]
  tap("attn.norm_in", h);
  auto attention = self_attention(w.self_attn, layer, config.num_attention_heads, eps, h, call,
                                  tap.under("attn."));
  h = rms_norm(attention.output, w.post_attention_layernorm, eps);  // [T, D]
  tap("attn.post_norm", h);
  residual += h;
  tap("attn.residual", residual);

  // 2. Feed-forward
  h = feed_forward(w, config, residual, tap);          // [T, D]
  h = rms_norm(h, w.post_feedforward_layernorm, eps);  // [T, D]
  tap("ffn.post_norm", h);
  residual += h;
  tap("ffn.residual", residual);

  // 3. Per-layer input
  if (w.per_layer_input) {
    residual = per_layer_input_block(*w.per_layer_input, residual, per_layer_input, eps,
                                     tap.under("ple."));  // [T, D]
  }

  // 4. Layer scalar
  residual *= w.layer_scalar;
  tap("out", residual);
  return {std::move(residual), std::move(attention.attended)};
}

}  // namespace assay::ASSAY_REFERENCE
