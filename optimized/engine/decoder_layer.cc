// SPDX-License-Identifier: Apache-2.0
// One decoder layer; reference/blocks/decoder_layer.h has the formulas.
#include "optimized/engine/each_row.h"
#include "optimized/engine/engine.h"
#include "optimized/kernels/row_ops.h"

namespace assay::cpu {
namespace {

void add_rows(const Threads& threads, const Rows& y, const Rows& x) {
  each_row(threads, y.rows, [&](std::size_t t) { add_to(y.row(t), x.row(t), y.columns); });
}

}  // namespace

Rows Engine::mlp(const FeedForwardWeights& w, const Rows& x, const TapScope& tap) {
  const Rows gate = gate_.shape(x.rows, w.gate_proj.rows);
  const Rows up = up_.shape(x.rows, w.up_proj.rows);
  products(x, {{&w.gate_proj, gate}, {&w.up_proj, up}});
  tap("gate", gate);
  tap("up", up);
  if (tap.wants("act")) {
    RowBuffer buffer;
    const Rows act = buffer.shape(gate.rows, gate.columns);
    each_row(threads_, x.rows, [&](std::size_t t) { gelu(gate.row(t), gate.columns, act.row(t)); });
    tap("act", act);
  }
  each_row(threads_, x.rows, [&](std::size_t t) {
    gelu(gate.row(t), gate.columns, gate.row(t));
    multiply_by(gate.row(t), up.row(t), gate.columns);
  });
  tap("mul", gate);
  const Rows down = dense_.shape(x.rows, w.down_proj.rows);
  products(gate, {{&w.down_proj, down}});
  tap("down", down);
  return down;
}

// The feed-forward branch before its post norm.
Rows Engine::feed_forward(std::size_t i, const Rows& h, const TapScope& tap) {
  const LayerWeights& w = model_.layers[i];
  const Rows n = norm_.shape(h.rows, h.columns);
  norm(h, w.pre_feedforward_layernorm, n);
  tap("ffn.norm_in", n);
  const Rows dense = mlp(w.mlp, n, tap.under("ffn."));
  if (!model_.config().moe) {
    return dense;
  }
  norm(dense, w.moe.post_feedforward_layernorm_1, dense);
  tap("moe.dense_norm", dense);
  const Rows sum = moe(w.moe, h, tap.under("moe."));
  add_rows(threads_, dense, sum);
  tap("moe.combined", dense);
  return dense;
}

// h has the tokens from `first_token` of the call on.
void Engine::per_layer_block(std::size_t i, const Rows& h, std::size_t first_token,
                             const TapScope& tap) {
  const PerLayerInputWeights& w = model_.layers[i].per_layer;
  const std::size_t width = model_.config().hidden_size_per_layer_input;
  const Rows gate = gate_.shape(h.rows, width);
  products(h, {{&w.per_layer_input_gate, gate}});
  tap("gate", gate);
  const std::size_t all = width * model_.config().num_hidden_layers();
  const std::size_t stride = round_up(all, kTileRows);
  const float* const in = per_layer_.data() + first_token * stride + i * width;
  each_row(threads_, h.rows, [&](std::size_t t) {
    gelu(gate.row(t), width, gate.row(t));
    multiply_by(gate.row(t), in + t * stride, width);
  });
  tap("mul", gate);
  const Rows proj = dense_.shape(h.rows, h.columns);
  products(gate, {{&w.per_layer_projection, proj}});
  tap("proj", proj);
  norm(proj, w.post_per_layer_input_norm, proj);
  tap("norm", proj);
  add_rows(threads_, h, proj);
  tap("residual", h);
}

void Engine::decoder_layer(std::size_t i, const Rows& h, const Call& call, const KvCache& cache,
                           const TapScope& tap) {
  const LayerWeights& w = model_.layers[i];
  tap("in", h);
  const Rows n = norm_.shape(h.rows, h.columns);
  norm(h, w.input_layernorm, n);
  tap("attn.norm_in", n);
  const Rows attended = self_attention(i, n, call, cache, tap.under("attn."));
  norm(attended, w.post_attention_layernorm, attended);
  tap("attn.post_norm", attended);
  add_rows(threads_, h, attended);
  tap("attn.residual", h);

  const Rows y = feed_forward(i, h, tap);
  norm(y, w.post_feedforward_layernorm, y);
  tap("ffn.post_norm", y);
  add_rows(threads_, h, y);
  tap("ffn.residual", h);

  if (model_.config().hidden_size_per_layer_input > 0) {
    per_layer_block(i, h, call.tokens - h.rows, tap.under("ple."));
  }
  each_row(threads_, h.rows, [&](std::size_t t) { scale_by(h.row(t), w.layer_scalar, h.columns); });
  tap("out", h);
}

}  // namespace assay::cpu
