// SPDX-License-Identifier: Apache-2.0
// One layer of the audio encoder; reference/blocks/conformer_layer.h and what it calls have the
// formulas.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "optimized/engine/audio_encoder.h"
#include "optimized/engine/audio_taps.h"
#include "optimized/engine/each_row.h"
#include "optimized/kernels/encoder_rows.h"
#include "optimized/kernels/row_ops.h"

namespace assay::cpu {
namespace {

constexpr double kEps = AudioConfig::kBlockNormEps;

}  // namespace

void AudioEncoder::feed_forward(const AudioFeedForwardWeights& w, const Rows& h,
                                const TapScope& tap) {
  const auto limit = static_cast<float>(config_.gradient_clipping);
  const Rows n = norm_.shape(h.rows, h.columns);
  each_row(ops_.threads(), h.rows, [&](std::size_t t) {
    clamp_row(h.row(t), -limit, limit, h.columns, n.row(t));
    rms_norm(n.row(t), w.pre_layer_norm.data(), kEps, h.columns, n.row(t));
  });
  tap("pre_norm", n);
  const Rows up = wide_.shape(h.rows, w.ffw_layer_1.weight.rows);
  ops_.clipped(n, {{&w.ffw_layer_1, up}});
  tap("up", up);
  each_row(ops_.threads(), h.rows, [&](std::size_t t) { silu(up.row(t), up.columns, up.row(t)); });
  tap("act", up);
  const Rows down = out_.shape(h.rows, h.columns);
  ops_.clipped(up, {{&w.ffw_layer_2, down}});
  tap("down", down);
  ops_.clamp(down, limit);
  ops_.norm(down, w.post_layer_norm, kEps, down);
  tap("post_norm", down);
  ops_.add(h, down, static_cast<float>(config_.residual_weight));
  tap("out", h);
}

void AudioEncoder::scale_queries_keys(const AudioAttentionWeights& w, const Rows& q,
                                      const Rows& k) const {
  const auto key_scale = static_cast<float>(std::log1p(std::numbers::e) / std::numbers::ln2);
  const std::size_t width = config_.head_dim();
  each_row(ops_.threads(), q.rows, [&](std::size_t t) {
    for (std::size_t c = 0; c < q.columns; c += width) {
      multiply_by(q.row(t) + c, w.query_scale.data(), width);
    }
    scale_by(k.row(t), key_scale, k.columns);
  });
}

Rows AudioEncoder::local_attention(const Window& window, const Rows& places, const Rows& q,
                                   const Rows& k, const Rows& v, const TapScope& tap) {
  const std::size_t heads = config_.num_attention_heads;
  const std::size_t width = config_.head_dim();
  const std::size_t keys = window.keys;
  const Rows scores = scores_.shape(q.rows, heads * keys);
  // What follows of the scores of a row: as many as there are rows before it.
  const auto each_head = [&](const auto& work) {
    each_row(ops_.threads(), q.rows, [&](std::size_t t) {
      for (std::size_t n = 0; n < heads; ++n) {
        work(t, n * width, scores.row(t) + n * keys, std::min(t + 1, keys));
      }
    });
  };
  each_row(ops_.threads(), q.rows,
           [&](std::size_t t) { std::fill_n(scores.row(t), scores.columns, 0.0F); });
  each_head([&](std::size_t t, std::size_t at, float* row, std::size_t seen) {
    local_scores(q.row(t) + at, {k.row(t) + at, k.stride},
                 {places.row(places.rows - 1) + at, places.stride}, seen, width, row);
  });
  emit_by_key(tap, "logits", scores, keys);
  each_head([&](std::size_t, std::size_t, float* row, std::size_t seen) {
    softcap(row, seen, config_.attention_logit_cap);
  });
  emit_by_key(tap, "logits_capped", scores, keys);
  each_head([&](std::size_t, std::size_t, float* row, std::size_t seen) { softmax(row, seen); });
  emit_by_key(tap, "probs", scores, keys);
  const Rows mix = mix_.shape(q.rows, q.columns);
  each_head([&](std::size_t t, std::size_t at, const float* row, std::size_t seen) {
    local_mix(row, {v.row(t) + at, v.stride}, seen, width, mix.row(t) + at);
  });
  return mix;
}

Rows AudioEncoder::attend(const AudioAttentionWeights& w, const Window& window, const Rows& x,
                          const TapScope& tap) {
  const std::size_t heads = config_.num_attention_heads;
  const Rows q = q_.shape(x.rows, x.columns);
  const Rows k = k_.shape(x.rows, x.columns);
  const Rows v = v_.shape(x.rows, x.columns);
  ops_.clipped(x, {{&w.q_proj, q}, {&w.k_proj, k}, {&w.v_proj, v}});
  tap("q_proj", q);
  tap("k_proj", k);
  tap("v_proj", v);
  scale_queries_keys(w, q, k);
  tap("q_scaled", q, {x.rows, heads, config_.head_dim()});
  tap("k_scaled", k, {x.rows, heads, config_.head_dim()});
  const Rows places = places_.shape(window.positions.rows, x.columns);
  ops_.linear(window.positions, w.relative_k_proj, places);
  tap("rel_k", places, {places.rows, heads, config_.head_dim()});
  const Rows mix = local_attention(window, places, q, k, v, tap);
  tap("context", mix);
  const Rows post = out_.shape(x.rows, x.columns);
  ops_.clipped(mix, {{&w.post, post}});
  tap("post", post);
  return post;
}

void AudioEncoder::light_conv(const AudioLightConvWeights& w, const Rows& h, const TapScope& tap) {
  const Rows n = norm_.shape(h.rows, h.columns);
  ops_.norm(h, w.pre_layer_norm, config_.rms_norm_eps, n);
  tap("pre_norm", n);
  const Rows start = wide_.shape(h.rows, 2 * h.columns);
  ops_.clipped(n, {{&w.linear_start, start}});
  tap("linear_start", start);
  const Rows glu = q_.shape(h.rows, h.columns);
  each_row(ops_.threads(), h.rows, [&](std::size_t t) {
    gate_by_sigmoid(start.row(t), start.row(t) + h.columns, h.columns, glu.row(t));
  });
  tap("glu", glu);
  const std::size_t points = w.depthwise_conv1d.size() / h.columns;
  const Rows conv = k_.shape(h.rows, h.columns);
  each_row(ops_.threads(), h.rows, [&](std::size_t t) {
    std::vector<const float*> rows(points);  // null before the first row
    for (std::size_t j = 0; j < points; ++j) {
      const std::size_t back = points - 1 - j;
      rows[j] = back > t ? nullptr : glu.row(t - back);
    }
    depthwise_conv1d(rows.data(), w.depthwise_conv1d.data(), points, h.columns, conv.row(t));
  });
  tap("depthwise", conv);
  ops_.clamp(conv, static_cast<float>(config_.gradient_clipping));
  ops_.norm(conv, w.conv_norm, config_.rms_norm_eps, conv);
  tap("conv_norm", conv);
  each_row(ops_.threads(), h.rows,
           [&](std::size_t t) { silu(conv.row(t), h.columns, conv.row(t)); });
  tap("act", conv);
  const Rows end = out_.shape(h.rows, h.columns);
  ops_.clipped(conv, {{&w.linear_end, end}});
  tap("linear_end", end);
  ops_.add(h, end);
  tap("out", h);
}

void AudioEncoder::layer(const ConformerWeights& w, const Window& window, const Rows& h,
                         const TapScope& tap) {
  const auto limit = static_cast<float>(config_.gradient_clipping);
  feed_forward(w.feed_forward1, h, tap.under("ffn1."));

  const TapScope attn = tap.under("attn.");
  const Rows n = norm_.shape(h.rows, h.columns);
  each_row(ops_.threads(), h.rows, [&](std::size_t t) {
    clamp_row(h.row(t), -limit, limit, h.columns, n.row(t));
    rms_norm(n.row(t), w.norm_pre_attn.data(), kEps, h.columns, n.row(t));
  });
  attn("pre_norm", n);
  const Rows post = attend(w.self_attn, window, n, attn);
  ops_.clamp(post, limit);
  ops_.norm(post, w.norm_post_attn, kEps, post);
  attn("post_norm", post);
  ops_.add(h, post);
  attn("residual", h);

  light_conv(w.lconv1d, h, tap.under("lconv."));
  feed_forward(w.feed_forward2, h, tap.under("ffn2."));
  ops_.clamp(h, limit);
  ops_.norm(h, w.norm_out, kEps, h);
  tap("out", h);
}

}  // namespace assay::cpu
