// SPDX-License-Identifier: Apache-2.0
// One decoder layer; reference/blocks/decoder_layer.h has the formulas. The sum of each residual
// connection is one kernel with the norms on both sides of it.
#include <algorithm>

#include "optimized/engine/cuda/cache_taps.h"
#include "optimized/engine/cuda/engine.h"
#include "optimized/kernels/router_cuda.h"

namespace assay::cuda {
namespace {

DeviceRows like(float* data, const DeviceRows& rows) {
  return device_rows(data, static_cast<std::size_t>(rows.rows),
                     static_cast<std::size_t>(rows.columns));
}

}  // namespace

// Keys and values of the call's tokens, normed, rotated and stored.
void Engine::own_keys(std::size_t i, const Run& run, const DeviceRows& k, const DeviceRows& v,
                      const cpu::TapScope& tap) {
  const LayerConfig& layer = model_.config().layers[i];
  const std::vector<std::size_t> shape = {run.call.tokens, layer.num_key_value_heads,
                                          layer.head_dim};
  shown_(tap, "k_proj", k, shape);
  shown_(tap, "v_proj", v, shape);
  StoreKeys store;
  store.k = k;
  store.v = v;
  store.k_scale = model_.layers[i].self_attn.k_norm;
  store.rotation = run.call.of(layer.kind).rotation;
  store.start = run.call.start_on_device;
  store.cache = run.cache.layer(i);
  if (tap.wants("k_norm") || tap.wants("k_rope") || tap.wants("v_norm")) {
    const std::size_t count = run.call.tokens * static_cast<std::size_t>(k.columns);
    store.k_normed_out = shown_.room(0, count);
    store.k_rope_out = shown_.room(1, count);
    store.v_normed_out = shown_.room(2, count);
  }
  store_keys(stream_, store, model_.eps());
  shown_(tap, "k_norm", like(store.k_normed_out, k), shape);
  shown_(tap, "k_rope", like(store.k_rope_out, k), shape);
  shown_(tap, "v_norm", like(store.v_normed_out, k), shape);
}

DeviceRows Engine::self_attention(std::size_t i, const Run& run, const cpu::TapScope& tap) {
  const TextConfig& config = model_.config();
  const LayerConfig& layer = config.layers[i];
  const AttentionWeights& w = model_.layers[i].self_attn;
  const DeviceKind& kind = run.call.of(layer.kind);
  const auto rows = static_cast<std::size_t>(run.n.rows);
  const std::size_t heads = config.num_attention_heads;
  const std::vector<std::size_t> shape = {rows, heads, layer.head_dim};
  const DeviceRows q = scratch_.rows(scratch_.q, rows, heads * layer.head_dim);
  product(w.q_proj, run.n, q);
  shown_(tap, "q_proj", q, shape);
  Rotation rotation = kind.rotation;
  const std::size_t skipped = run.first_token * static_cast<std::size_t>(rotation.half);
  rotation.cos += skipped;
  rotation.sin += skipped;
  float* const normed = shown_.room(tap, "q_norm", 0, q);
  norm_rope(stream_, q, w.q_norm, rotation, model_.eps(), normed);
  shown_(tap, "q_norm", like(normed, q), shape);
  shown_(tap, "q_rope", q, shape);
  if (!config.shares_kv(i)) {
    const std::size_t width = layer.num_key_value_heads * layer.head_dim;
    const DeviceRows k = scratch_.rows(scratch_.k, rows, width);
    const DeviceRows v = layer.k_eq_v ? k : scratch_.rows(scratch_.v, rows, width);
    product(w.k_proj, run.n, k);
    if (!layer.k_eq_v) {
      product(w.v_proj, run.n, v);
    }
    own_keys(i, run, k, v, tap);
  }
  const std::size_t source = kind.source.value_or(layer.kv_source);
  const LayerCache& cache = run.cache.layer(source);
  emit_context(tap, source, static_cast<std::size_t>(kind.first_key),
               run.call.start + run.call.tokens, cache, stream_, shown_);
  const DeviceRows mix = scratch_.rows(scratch_.mix, rows, heads * layer.head_dim);
  const std::size_t tokens = run.call.start + run.call.tokens;
  const int stored = static_cast<int>(std::min(tokens, static_cast<std::size_t>(cache.slots)));
  attend({q, static_cast<int>(heads), cache, kind.visible + run.first_token, kind.masks,
          kind.first_key, mix, kind.pieces, scratch_.parts, stored});
  shown_(tap, "mix", mix, shape);
  const DeviceRows out = scratch_.rows(scratch_.out, rows, config.hidden_size);
  product(w.o_proj, mix, out);
  shown_(tap, "o_proj", out);
  return out;
}

DeviceRows Engine::mlp(const FeedForwardWeights& w, const DeviceRows& x, const cpu::TapScope& tap) {
  const auto rows = static_cast<std::size_t>(x.rows);
  const auto inner = static_cast<std::size_t>(w.gate_proj.rows);
  const DeviceRows gate = scratch_.rows(scratch_.gate, rows, inner);
  const DeviceRows up = scratch_.rows(scratch_.up, rows, inner);
  product(w.gate_proj, x, gate);
  product(w.up_proj, x, up);
  shown_(tap, "gate", gate);
  shown_(tap, "up", up);
  float* const act = shown_.room(tap, "act", 0, gate);
  geglu(stream_, gate, up, act);
  shown_(tap, "act", like(act, gate));
  shown_(tap, "mul", gate);
  const DeviceRows down =
      scratch_.rows(scratch_.dense, rows, static_cast<std::size_t>(w.down_proj.rows));
  product(w.down_proj, gate, down);
  shown_(tap, "down", down);
  return down;
}

// The feed-forward branch before its post norm; run.n is h normed for the dense one.
DeviceRows Engine::feed_forward(std::size_t i, const Run& run, const cpu::TapScope& tap) {
  const LayerWeights& w = model_.layers[i];
  shown_(tap, "ffn.norm_in", run.n);
  const DeviceRows dense = mlp(w.mlp, run.n, tap.under("ffn."));
  if (!model_.config().moe) {
    return dense;
  }
  rms_norm(stream_, dense, w.moe.post_feedforward_layernorm_1, model_.eps(), dense);
  shown_(tap, "moe.dense_norm", dense);
  moe(w.moe, run.h, dense, tap.under("moe."));
  return dense;
}

// The last part of a layer, with the layer's scalar; `next_norm`: null for none.
void Engine::per_layer_block(std::size_t i, const Run& run, const float* next_norm,
                             const cpu::TapScope& tap) {
  const PerLayerInputWeights& w = model_.layers[i].per_layer;
  const std::size_t width = model_.config().hidden_size_per_layer_input;
  const std::size_t all = width * model_.config().num_hidden_layers();
  const auto rows = static_cast<std::size_t>(run.h.rows);
  const DeviceRows gate = scratch_.rows(scratch_.gate, rows, width);
  product(w.per_layer_input_gate, run.h, gate);
  shown_(tap, "gate", gate);
  const DeviceRows in = scratch_.rows(scratch_.per_layer + run.first_token * all, rows, all)
                            .part(static_cast<int>(i * width), static_cast<int>(width));
  geglu(stream_, gate, in, nullptr);
  shown_(tap, "mul", gate);
  const DeviceRows proj = scratch_.rows(scratch_.dense, rows, model_.config().hidden_size);
  product(w.per_layer_projection, gate, proj);
  shown_(tap, "proj", proj);
  float* const normed = shown_.room(tap, "norm", 0, proj);
  float* const sum = shown_.room(tap, "residual", 1, proj);
  add_normed(stream_,
             {proj, w.post_per_layer_input_norm, run.h, model_.layers[i].layer_scalar, next_norm,
              run.n.data, normed, sum},
             model_.eps());
  shown_(tap, "norm", like(normed, proj));
  shown_(tap, "residual", like(sum, proj));
}

void Engine::decoder_layer(std::size_t i, const Run& run, const cpu::TapScope& tap) {
  const LayerWeights& w = model_.layers[i];
  const bool is_last = i + 1 == model_.layers.size();
  const float* const next_norm = is_last ? nullptr : model_.layers[i + 1].input_layernorm;
  const bool per_layer = model_.config().hidden_size_per_layer_input > 0;
  shown_(tap, "in", run.h);
  shown_(tap, "attn.norm_in", run.n);
  const DeviceRows attended = self_attention(i, run, tap.under("attn."));
  float* normed = shown_.room(tap, "attn.post_norm", 0, run.h);
  add_normed(stream_,
             {attended, w.post_attention_layernorm, run.h, 1, w.pre_feedforward_layernorm,
              run.n.data, normed, nullptr},
             model_.eps());
  shown_(tap, "attn.post_norm", like(normed, run.h));
  shown_(tap, "attn.residual", run.h);

  const DeviceRows y = feed_forward(i, run, tap);
  normed = shown_.room(tap, "ffn.post_norm", 0, run.h);
  float* const sum = shown_.room(tap, "ffn.residual", 1, run.h);
  add_normed(stream_,
             {y, w.post_feedforward_layernorm, run.h, per_layer ? 1 : w.layer_scalar,
              per_layer ? nullptr : next_norm, run.n.data, normed, sum},
             model_.eps());
  shown_(tap, "ffn.post_norm", like(normed, run.h));
  shown_(tap, "ffn.residual", like(sum, run.h));
  if (per_layer) {
    per_layer_block(i, run, next_norm, tap.under("ple."));
  }
  shown_(tap, "out", run.h);
}

}  // namespace assay::cuda
