// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/audio_encoder.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "optimized/engine/audio_taps.h"
#include "optimized/engine/row_buffer.h"
#include "optimized/kernels/row_ops_cuda.h"
#include "reference/family/base/error.h"

namespace assay::cuda {
namespace {

constexpr double kEps = AudioConfig::kBlockNormEps;
constexpr std::size_t kPointsAtOnce = 65536;  // gathered for one product

cpu::Rows on_host(std::vector<float>& values, const DeviceRows& rows) {
  const auto columns = static_cast<std::size_t>(rows.columns);
  return {values.data(), columns, static_cast<std::size_t>(rows.rows), columns};
}

}  // namespace

AudioEncoder::AudioEncoder(const Checkpoint& checkpoint, const cpu::Threads& threads,
                           Stream& stream)
    : config_(*checkpoint.config().audio), weights_(checkpoint, threads), ops_(stream) {}

void AudioEncoder::clamp(const DeviceRows& x, const DeviceRows& y) {
  const auto limit = static_cast<float>(config_.gradient_clipping);
  clamp_rows(ops_.stream(), x, -limit, limit, y);
}

void AudioEncoder::emit_points(const cpu::TapScope& tap, const char* name, const Points& points) {
  if (tap.wants(name)) {
    auto values = ops_.show.values(points.x);
    cpu::emit_channels_first(tap, name, on_host(values, points.x),
                             static_cast<std::size_t>(points.times),
                             static_cast<std::size_t>(points.frequencies));
  }
}

void AudioEncoder::emit_scores(const cpu::TapScope& tap, const char* name, const DeviceRows& scores,
                               std::size_t keys) {
  if (tap.wants(name)) {
    auto values = ops_.show.values(scores);
    cpu::emit_by_key(tap, name, on_host(values, scores), keys);
  }
}

Points AudioEncoder::halved(const cpu::AudioConvWeights& w, const Points& x, Room& room,
                            const cpu::TapScope& tap) {
  Points y;
  y.times = (x.times + 1) / 2;
  y.frequencies = (x.frequencies + 1) / 2;
  const auto times = static_cast<std::size_t>(y.times);
  const auto frequencies = static_cast<std::size_t>(y.frequencies);
  const std::size_t count = times * frequencies;
  y.x = room.shape(count, w.conv.rows);
  for (std::size_t first = 0; first < count; first += kPointsAtOnce) {
    const std::size_t some = std::min(kPointsAtOnce, count - first);
    Points from = x;
    from.first = static_cast<int>(first);
    const DeviceRows gathered = points_.shape(some, w.conv.columns);
    gather_points(ops_.stream(), from, gathered);
    ops_.linear(gathered, w.conv, y.x.from(static_cast<int>(first), static_cast<int>(some)));
  }
  emit_points(tap, "conv", y);
  layer_norm(ops_.stream(), y.x, ops_.of(w.norm), nullptr, static_cast<float>(config_.rms_norm_eps),
             y.x);
  ops_.show(tap, "norm", y.x, {times, frequencies, w.conv.rows});
  relu(ops_.stream(), y.x);
  emit_points(tap, "out", y);
  return y;
}

DeviceRows AudioEncoder::subsampled(const cpu::Rows& mel, const cpu::TapScope& tap) {
  const DeviceRows frames = ops_.bring(mel_, mel);
  Points points;
  points.x = device_rows(frames.data, mel.rows * mel.columns, 1);  // of one channel
  points.times = frames.rows;
  points.frequencies = frames.columns;
  const Points half = halved(weights_.subsample[0], points, conv_first_, tap.under("subsample.0."));
  const Points quarter =
      halved(weights_.subsample[1], half, conv_second_, tap.under("subsample.1."));
  const DeviceRows flat =  // the same memory, as rows of all points of a time
      device_rows(quarter.x.data, static_cast<std::size_t>(quarter.times),
                  static_cast<std::size_t>(quarter.frequencies * quarter.x.columns));
  ops_.show(tap, "subsample.flat", flat);
  const DeviceRows h = h_.shape(static_cast<std::size_t>(flat.rows), config_.hidden_size);
  ops_.linear(flat, weights_.input_proj_linear, h);
  ops_.show(tap, "input_proj", h);
  return h;
}

void AudioEncoder::feed_forward(const cpu::AudioFeedForwardWeights& w, const DeviceRows& h,
                                const cpu::TapScope& tap) {
  const DeviceRows n = norm_.like(h);
  clamp(h, n);
  ops_.norm(n, w.pre_layer_norm, kEps, n);
  ops_.show(tap, "pre_norm", n);
  const DeviceRows up = wide_.shape(static_cast<std::size_t>(h.rows), w.ffw_layer_1.weight.rows);
  ops_.clipped(n, {{&w.ffw_layer_1, up}});
  ops_.show(tap, "up", up);
  silu(ops_.stream(), up);
  ops_.show(tap, "act", up);
  const DeviceRows down = out_.like(h);
  ops_.clipped(up, {{&w.ffw_layer_2, down}});
  ops_.show(tap, "down", down);
  clamp(down, down);
  ops_.norm(down, w.post_layer_norm, kEps, down);
  ops_.show(tap, "post_norm", down);
  add_rows(ops_.stream(), h, down, static_cast<float>(config_.residual_weight));
  ops_.show(tap, "out", h);
}

DeviceRows AudioEncoder::local_attention(const Window& window, const DeviceRows& places,
                                         const DeviceRows& q, const DeviceRows& k,
                                         const DeviceRows& v, const cpu::TapScope& tap) {
  Stream& stream = ops_.stream();
  const auto keys = static_cast<std::size_t>(window.local.keys);
  const DeviceRows scores =
      scores_.shape(static_cast<std::size_t>(q.rows), config_.num_attention_heads * keys);
  local_scores(stream, window.local, q, k, places, scores);
  emit_scores(tap, "logits", scores, keys);
  softcap(stream, scores, static_cast<float>(config_.attention_logit_cap));
  emit_scores(tap, "logits_capped", scores, keys);
  local_softmax(stream, window.local, scores);
  emit_scores(tap, "probs", scores, keys);
  const DeviceRows mix = mix_.like(q);
  local_mix(stream, window.local, scores, v, mix);
  return mix;
}

DeviceRows AudioEncoder::attend(const cpu::AudioAttentionWeights& w, const Window& window,
                                const DeviceRows& x, const cpu::TapScope& tap) {
  Stream& stream = ops_.stream();
  const std::size_t heads = config_.num_attention_heads;
  const auto rows = static_cast<std::size_t>(x.rows);
  const DeviceRows q = q_.like(x);
  const DeviceRows k = k_.like(x);
  const DeviceRows v = v_.like(x);
  ops_.clipped(x, {{&w.q_proj, q}, {&w.k_proj, k}, {&w.v_proj, v}});
  ops_.show(tap, "q_proj", q);
  ops_.show(tap, "k_proj", k);
  ops_.show(tap, "v_proj", v);
  const auto key_scale = static_cast<float>(std::log1p(std::numbers::e) / std::numbers::ln2);
  scale_columns(stream, q, ops_.of(w.query_scale), window.local.width, 1);
  scale_columns(stream, k, nullptr, 1, key_scale);
  ops_.show(tap, "q_scaled", q, {rows, heads, config_.head_dim()});
  ops_.show(tap, "k_scaled", k, {rows, heads, config_.head_dim()});
  const DeviceRows places = places_.like(window.positions);
  ops_.linear(window.positions, w.relative_k_proj, places);
  ops_.show(tap, "rel_k", places,
            {static_cast<std::size_t>(places.rows), heads, config_.head_dim()});
  const DeviceRows mix = local_attention(window, places, q, k, v, tap);
  ops_.show(tap, "context", mix);
  const DeviceRows post = out_.like(x);
  ops_.clipped(mix, {{&w.post, post}});
  ops_.show(tap, "post", post);
  return post;
}

void AudioEncoder::light_conv(const cpu::AudioLightConvWeights& w, const DeviceRows& h,
                              const cpu::TapScope& tap) {
  Stream& stream = ops_.stream();
  const DeviceRows n = norm_.like(h);
  ops_.norm(h, w.pre_layer_norm, config_.rms_norm_eps, n);
  ops_.show(tap, "pre_norm", n);
  const DeviceRows start = wide_.shape(static_cast<std::size_t>(h.rows), 2 * config_.hidden_size);
  ops_.clipped(n, {{&w.linear_start, start}});
  ops_.show(tap, "linear_start", start);
  const DeviceRows glu = q_.like(h);
  gate_by_sigmoid(stream, start.part(0, h.columns), start.part(h.columns, h.columns), glu);
  ops_.show(tap, "glu", glu);
  const DeviceRows conv = k_.like(h);
  const std::size_t points = w.depthwise_conv1d.size() / config_.hidden_size;
  depthwise_conv1d(stream, glu, ops_.of(w.depthwise_conv1d), static_cast<int>(points), conv);
  ops_.show(tap, "depthwise", conv);
  clamp(conv, conv);
  ops_.norm(conv, w.conv_norm, config_.rms_norm_eps, conv);
  ops_.show(tap, "conv_norm", conv);
  silu(stream, conv);
  ops_.show(tap, "act", conv);
  const DeviceRows end = out_.like(h);
  ops_.clipped(conv, {{&w.linear_end, end}});
  ops_.show(tap, "linear_end", end);
  add_rows(stream, h, end, 1);
  ops_.show(tap, "out", h);
}

void AudioEncoder::layer(const cpu::ConformerWeights& w, const Window& window, const DeviceRows& h,
                         const cpu::TapScope& tap) {
  feed_forward(w.feed_forward1, h, tap.under("ffn1."));

  const cpu::TapScope attn = tap.under("attn.");
  const DeviceRows n = norm_.like(h);
  clamp(h, n);
  ops_.norm(n, w.norm_pre_attn, kEps, n);
  ops_.show(attn, "pre_norm", n);
  const DeviceRows post = attend(w.self_attn, window, n, attn);
  clamp(post, post);
  ops_.norm(post, w.norm_post_attn, kEps, post);
  ops_.show(attn, "post_norm", post);
  add_rows(ops_.stream(), h, post, 1);
  ops_.show(attn, "residual", h);

  light_conv(w.lconv1d, h, tap.under("lconv."));
  feed_forward(w.feed_forward2, h, tap.under("ffn2."));
  clamp(h, h);
  ops_.norm(h, w.norm_out, kEps, h);
  ops_.show(tap, "out", h);
}

cpu::Rows AudioEncoder::encode(const cpu::Rows& mel, const Profile& profile,
                               const cpu::TapScope& tap) {
  if (mel.rows == 0) {
    throw Error("audio: got no frames, expected at least one");
  }
  const DeviceRows h = subsampled(mel, tap);
  const std::size_t distances = config_.attention_context_left;
  const bool all = profile.audio_window_keys == AudioWindowKeys::k13;
  cpu::RowBuffer buffer;
  const cpu::Rows positions = buffer.shape(distances, config_.hidden_size);
  cpu::relative_positions(positions);
  Window window;
  window.local = {static_cast<int>(config_.num_attention_heads),
                  static_cast<int>(config_.head_dim()),
                  static_cast<int>(all ? distances : distances - 1)};
  window.positions = ops_.bring(positions_, positions);
  ops_.show(tap, "rel_pos_table", window.positions);
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    layer(weights_.layers[i], window, h, tap.under("layer." + std::to_string(i) + "."));
  }
  const DeviceRows y =
      projected_.shape(static_cast<std::size_t>(h.rows), weights_.output_proj.rows);
  ops_.linear(h, weights_.output_proj, y);
  add_to_each(ops_.stream(), y, ops_.of(weights_.output_proj_bias));
  ops_.show(tap, "output_proj", y);
  ops_.show(tap, "tower_out", y);
  return ops_.embed(y, weights_.embedding_projection, config_.rms_norm_eps,
                    profile.audio_embed_order, tap);
}

UnifiedAudioEmbedder::UnifiedAudioEmbedder(const Checkpoint& checkpoint,
                                           const cpu::Threads& threads, Stream& stream)
    : config_(*checkpoint.config().unified_audio), ops_(stream) {
  cpu::WeightPacker packer(checkpoint, threads);
  packer.matrix("model.embed_audio.embedding_projection.weight", embedding_projection_);
  memory_ = packer.pack();
}

cpu::Rows UnifiedAudioEmbedder::encode(const cpu::Rows& rows, EmbedOrder order,
                                       const cpu::TapScope& tap) {
  if (rows.rows == 0 || rows.columns != config_.audio_embed_dim) {
    throw Error("audio: rows: got shape [" + std::to_string(rows.rows) + ", " +
                std::to_string(rows.columns) + "], expected [1 or more, " +
                std::to_string(config_.audio_embed_dim) + "]");
  }
  tap("unified.audio.frames", rows);
  return ops_.embed(ops_.bring(rows_, rows), embedding_projection_, config_.rms_norm_eps, order,
                    tap.under("audio."));
}

}  // namespace assay::cuda
