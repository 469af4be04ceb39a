// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/vision_encoder.h"

#include <cmath>
#include <string>

#include "optimized/engine/row_buffer.h"
#include "optimized/engine/vision_angles.h"
#include "optimized/kernels/encoder_rows_cuda.h"
#include "optimized/kernels/row_ops_cuda.h"

namespace assay::cuda {
namespace {

constexpr std::size_t kAxes = 2;

// table_x[x] + table_y[y] of every patch.
cpu::Rows places_of(const cpu::ImagePatches& image, const cpu::Positions& positions,
                    cpu::RowBuffer& buffer) {
  const cpu::Rows place = buffer.shape(image.patches.rows, positions.width());
  for (std::size_t t = 0; t < place.rows; ++t) {
    positions.embed(image.positions[kAxes * t], image.positions[kAxes * t + 1], place.row(t));
  }
  return place;
}

}  // namespace

VisionEncoder::VisionEncoder(const Checkpoint& checkpoint, const cpu::Threads& threads,
                             Stream& stream)
    : checkpoint_(checkpoint),
      config_(*checkpoint.config().vision),
      weights_(checkpoint, threads),
      ops_(stream) {}

DeviceRows VisionEncoder::embed_patches(const cpu::ImagePatches& image, const cpu::TapScope& tap) {
  const DeviceRows pixels = ops_.bring(pixels_, image.patches);
  shift_scale(ops_.stream(), pixels, 0.5F, 2, pixels);
  ops_.show(tap, "pixels_pm1", pixels);
  const DeviceRows h = h_.shape(image.patches.rows, config_.hidden_size);
  ops_.linear(pixels, weights_.input_proj, h);
  ops_.show(tap, "patch_proj", h);
  const cpu::Positions positions(checkpoint_, cpu::PositionTable::kAxisFirst, image.grid.columns,
                                 image.grid.rows);
  cpu::RowBuffer buffer;
  const DeviceRows place = ops_.bring(out_, places_of(image, positions, buffer));
  ops_.show(tap, "pos_embed", place);
  add_rows(ops_.stream(), h, place, 1);
  ops_.show(tap, "patch_embed", h);
  return h;
}

VisionEncoder::Call VisionEncoder::begin_call(const cpu::ImagePatches& image,
                                              const cpu::TapScope& tap) {
  const auto angles = cpu::vision_angles(config_, image.positions);
  cpu::emit_angles(tap, image.positions, angles.frequencies);
  Call call;
  call.pairs = static_cast<int>(angles.frequencies.size());
  call.cos = ops_.bring(cos_, std::span(angles.cos));
  call.sin = ops_.bring(sin_, std::span(angles.sin));
  const std::vector<QueryKeys> visible(image.patches.rows,
                                       QueryKeys{0, static_cast<int>(image.patches.rows) - 1, -1});
  call.visible = ops_.bring(visible_, std::span(visible));
  return call;
}

DeviceRows VisionEncoder::attend(const cpu::VisionLayerWeights& w, const DeviceRows& x,
                                 const Call& call, const cpu::TapScope& tap) {
  const std::size_t heads = config_.num_attention_heads;
  const std::size_t width = heads * config_.head_dim;
  const auto rows = static_cast<std::size_t>(x.rows);
  const DeviceRows q = q_.shape(rows, width);
  const DeviceRows k = k_.shape(rows, width);
  const DeviceRows v = v_.shape(rows, width);
  ops_.clipped(x, {{&w.q_proj, q}, {&w.k_proj, k}, {&w.v_proj, v}});
  ops_.show(tap, "q_proj", q);
  ops_.show(tap, "k_proj", k);
  ops_.show(tap, "v_proj", v);
  const std::vector<std::size_t> shape = {rows, heads, config_.head_dim};
  ops_.norm_heads(q, config_.head_dim, &w.q_norm, config_.rms_norm_eps);
  ops_.show(tap, "q_norm", q, shape);
  ops_.norm_heads(k, config_.head_dim, &w.k_norm, config_.rms_norm_eps);
  ops_.show(tap, "k_norm", k, shape);
  ops_.norm_heads(v, config_.head_dim, nullptr, config_.rms_norm_eps);
  ops_.show(tap, "v_norm", v, shape);
  rotate_axes(ops_.stream(), q, call.cos, call.sin, kAxes, call.pairs);
  ops_.show(tap, "q_rope", q, shape);
  rotate_axes(ops_.stream(), k, call.cos, call.sin, kAxes, call.pairs);
  ops_.show(tap, "k_rope", k, shape);

  AttentionCall attention_call;
  attention_call.queries = q;
  attention_call.heads = static_cast<int>(heads);
  attention_call.cache = {
      KeyType::kF32, x.rows, static_cast<int>(heads), static_cast<int>(config_.head_dim),
      k.data,        v.data};
  attention_call.visible = call.visible;
  attention_call.out = mix_.shape(rows, width);
  attention(ops_.stream(), attention_call);
  ops_.show(tap, "context", attention_call.out);
  const DeviceRows out = out_.shape(rows, config_.hidden_size);
  ops_.clipped(attention_call.out, {{&w.o_proj, out}});
  ops_.show(tap, "o_proj", out);
  return out;
}

DeviceRows VisionEncoder::mlp(const cpu::VisionLayerWeights& w, const DeviceRows& x,
                              const cpu::TapScope& tap) {
  const auto rows = static_cast<std::size_t>(x.rows);
  const DeviceRows gate = gate_.shape(rows, config_.intermediate_size);
  const DeviceRows up = up_.shape(rows, config_.intermediate_size);
  ops_.clipped(x, {{&w.gate_proj, gate}, {&w.up_proj, up}});
  ops_.show(tap, "gate", gate);
  ops_.show(tap, "up", up);
  geglu(ops_.stream(), gate, up, nullptr);
  ops_.show(tap, "act", gate);
  const DeviceRows down = out_.shape(rows, config_.hidden_size);
  ops_.clipped(gate, {{&w.down_proj, down}});
  ops_.show(tap, "down", down);
  return down;
}

void VisionEncoder::layer(const cpu::VisionLayerWeights& w, const DeviceRows& h, const Call& call,
                          const cpu::TapScope& tap) {
  const double eps = config_.rms_norm_eps;
  const DeviceRows n = norm_.like(h);
  ops_.norm(h, w.input_layernorm, eps, n);
  ops_.show(tap, "attn_norm", n);
  const DeviceRows attended = attend(w, n, call, tap.under("attn."));
  ops_.norm(attended, w.post_attention_layernorm, eps, attended);
  ops_.show(tap, "attn_post_norm", attended);
  add_rows(ops_.stream(), h, attended, 1);
  ops_.show(tap, "attn_residual", h);

  ops_.norm(h, w.pre_feedforward_layernorm, eps, n);
  ops_.show(tap, "ffn_norm", n);
  const DeviceRows fed = mlp(w, n, tap.under("mlp."));
  ops_.norm(fed, w.post_feedforward_layernorm, eps, fed);
  ops_.show(tap, "ffn_post_norm", fed);
  add_rows(ops_.stream(), h, fed, 1);
  ops_.show(tap, "out", h);
}

DeviceRows VisionEncoder::pooled(const DeviceRows& h, const cpu::ImagePatches& image,
                                 const cpu::TapScope& tap) {
  const std::size_t kernel = config_.pooling_kernel_size;
  const std::size_t each = kernel * kernel;
  const auto rows = static_cast<std::size_t>(h.rows);
  std::vector<std::vector<int>> cells(rows / each);
  for (std::size_t t = 0; t < rows; ++t) {
    const auto x = static_cast<std::size_t>(image.positions[kAxes * t]);
    const auto y = static_cast<std::size_t>(image.positions[kAxes * t + 1]);
    cells[x / kernel + image.grid.columns / kernel * (y / kernel)].push_back(static_cast<int>(t));
  }
  std::vector<int> members;
  for (const std::vector<int>& cell : cells) {
    members.insert(members.end(), cell.begin(), cell.end());
  }
  const DeviceRows y = pool_.shape(cells.size(), config_.hidden_size);
  pool(ops_.stream(), h, ops_.bring(members_, std::span<const int>(members)),
       static_cast<int>(each), 1.0F / static_cast<float>(each), y);
  ops_.show(tap, "pool", y);
  const auto root = static_cast<float>(std::sqrt(static_cast<double>(h.columns)));
  shift_scale(ops_.stream(), y, 0, root, y);
  ops_.show(tap, "pool_scaled", y);
  if (config_.standardize) {
    standardize(ops_.stream(), y, ops_.of(weights_.std_bias), ops_.of(weights_.std_scale));
    ops_.show(tap, "standardized", y);
  }
  return y;
}

cpu::Rows VisionEncoder::encode(const cpu::ImagePatches& image, const cpu::TapScope& tap) {
  check_pools(image.grid, config_.pooling_kernel_size);
  const DeviceRows h = embed_patches(image, tap);
  const Call call = begin_call(image, tap);
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    layer(weights_.layers[i], h, call, tap.under("layer." + std::to_string(i) + "."));
  }
  const DeviceRows cells = pooled(h, image, tap);
  ops_.show(tap, "tower_out", cells);
  return ops_.embed(cells, weights_.embedding_projection, config_.rms_norm_eps,
                    EmbedOrder::kNormThenProject, tap);
}

UnifiedVisionEmbedder::UnifiedVisionEmbedder(const Checkpoint& checkpoint,
                                             const cpu::Threads& threads, Stream& stream)
    : checkpoint_(checkpoint),
      config_(*checkpoint.config().unified_vision),
      weights_(checkpoint, threads),
      ops_(stream) {}

cpu::Rows UnifiedVisionEmbedder::encode(const cpu::ImagePatches& image, const cpu::TapScope& tap) {
  const cpu::TapScope at = tap.under("unified.vision.");
  const auto norm = [&](const cpu::Vector& weight, const cpu::Vector& bias, const DeviceRows& x) {
    layer_norm(ops_.stream(), x, ops_.of(weight), ops_.of(bias),
               static_cast<float>(UnifiedVisionConfig::kLayerNormEps), x);
  };
  at("patches", image.patches);
  const DeviceRows pixels = ops_.bring(pixels_, image.patches);
  norm(weights_.patch_ln1_weight, weights_.patch_ln1_bias, pixels);
  ops_.show(at, "ln1", pixels);
  const DeviceRows h = h_.shape(image.patches.rows, weights_.patch_dense.rows);
  ops_.linear(pixels, weights_.patch_dense, h);
  add_to_each(ops_.stream(), h, ops_.of(weights_.patch_dense_bias));
  ops_.show(at, "dense", h);
  norm(weights_.patch_ln2_weight, weights_.patch_ln2_bias, h);
  ops_.show(at, "ln2", h);
  const cpu::Positions positions(checkpoint_, cpu::PositionTable::kRowFirst, image.grid.columns,
                                 image.grid.rows);
  cpu::RowBuffer buffer;
  add_rows(ops_.stream(), h, ops_.bring(places_, places_of(image, positions, buffer)), 1);
  ops_.show(at, "pos_add", h);
  norm(weights_.pos_norm_weight, weights_.pos_norm_bias, h);
  ops_.show(at, "ln3", h);
  return ops_.embed(h, weights_.embedding_projection, config_.rms_norm_eps,
                    EmbedOrder::kNormThenProject, tap.under("vision."));
}

}  // namespace assay::cuda
