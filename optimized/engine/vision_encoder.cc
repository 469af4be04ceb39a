// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/vision_encoder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "optimized/engine/each_row.h"
#include "optimized/engine/vision_angles.h"
#include "optimized/kernels/attention_tile.h"
#include "optimized/kernels/row_ops.h"
#include "reference/family/base/error.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kAxes = 2;

}  // namespace

VisionEncoder::VisionEncoder(const Checkpoint& checkpoint, const Threads& threads)
    : checkpoint_(checkpoint),
      config_(*checkpoint.config().vision),
      weights_(checkpoint, threads),
      ops_(threads) {}

Rows VisionEncoder::embed_patches(const ImagePatches& image, const TapScope& tap) {
  const Threads& threads = ops_.threads();
  const std::size_t count = image.patches.rows;
  const Rows pixels = pixels_.shape(count, image.patches.columns);
  each_row(threads, count, [&](std::size_t t) {
    std::transform(image.patches.row(t), image.patches.row(t) + pixels.columns, pixels.row(t),
                   [](float value) { return 2 * (value - 0.5F); });
  });
  tap("pixels_pm1", pixels);
  const Rows h = h_.shape(count, config_.hidden_size);
  ops_.linear(pixels, weights_.input_proj, h);
  tap("patch_proj", h);
  const Positions positions(checkpoint_, PositionTable::kAxisFirst, image.grid.columns,
                            image.grid.rows);
  const Rows place = out_.shape(count, config_.hidden_size);
  each_row(threads, count, [&](std::size_t t) {
    positions.embed(image.positions[kAxes * t], image.positions[kAxes * t + 1], place.row(t));
  });
  tap("pos_embed", place);
  ops_.add(h, place);
  tap("patch_embed", h);
  return h;
}

VisionEncoder::Call VisionEncoder::begin_call(const ImagePatches& image, const TapScope& tap) {
  const std::size_t count = image.patches.rows;
  Call call;
  VisionAngles angles = vision_angles(config_, image.positions);
  call.pairs = angles.frequencies.size();
  call.cos = std::move(angles.cos);
  call.sin = std::move(angles.sin);
  emit_angles(tap, image.positions, angles.frequencies);
  call.visible.assign(count, {0, count - 1});

  const std::size_t slots = round_up(count, kKeyBlock);
  const std::size_t key_floats = slots * config_.head_dim;
  const std::size_t floats = key_floats + slots * value_stride(config_.head_dim);
  if (caches_.size() < config_.num_attention_heads * floats) {
    caches_ = PageArray<float>(config_.num_attention_heads * floats);
  }
  for (std::size_t n = 0; n < config_.num_attention_heads; ++n) {
    float* const keys = caches_.data() + n * floats;
    call.heads.push_back({CacheType::kF32, slots, config_.head_dim,
                          reinterpret_cast<std::byte*>(keys),
                          reinterpret_cast<std::byte*>(keys + key_floats)});
  }
  return call;
}

// The halves of a head turn by themselves, as heads of the text model do.
void VisionEncoder::rotate(const Rows& x, const Call& call) const {
  const std::size_t axis_width = 2 * call.pairs;
  each_row(ops_.threads(), x.rows, [&](std::size_t t) {
    for (std::size_t c = 0; c < x.columns; c += axis_width) {
      const std::size_t at = (kAxes * t + c / axis_width % kAxes) * call.pairs;
      rope(x.row(t) + c, 1, call.pairs, call.cos.data() + at, call.sin.data() + at);
    }
  });
}

void VisionEncoder::store(const Rows& k, const Rows& v, const Call& call) const {
  ops_.threads().split(k.rows, kKeyGroup, [&](std::size_t first, std::size_t end) {
    for (std::size_t t = first; t < end; ++t) {
      for (std::size_t n = 0; n < call.heads.size(); ++n) {
        const std::size_t at = n * config_.head_dim;
        store_key_value(call.heads[n], t, k.row(t) + at, v.row(t) + at);
      }
    }
  });
}

Rows VisionEncoder::attend(const VisionLayerWeights& w, const Rows& x, const Call& call,
                           const TapScope& tap) {
  const std::size_t heads = config_.num_attention_heads;
  const std::size_t width = heads * config_.head_dim;
  const Rows q = q_.shape(x.rows, width);
  const Rows k = k_.shape(x.rows, width);
  const Rows v = v_.shape(x.rows, width);
  ops_.clipped(x, {{&w.q_proj, q}, {&w.k_proj, k}, {&w.v_proj, v}});
  tap("q_proj", q);
  tap("k_proj", k);
  tap("v_proj", v);
  const std::vector<std::size_t> shape = {x.rows, heads, config_.head_dim};
  ops_.norm_heads(q, config_.head_dim, &w.q_norm, config_.rms_norm_eps);
  tap("q_norm", q, shape);
  ops_.norm_heads(k, config_.head_dim, &w.k_norm, config_.rms_norm_eps);
  tap("k_norm", k, shape);
  ops_.norm_heads(v, config_.head_dim, nullptr, config_.rms_norm_eps);
  tap("v_norm", v, shape);
  rotate(q, call);
  tap("q_rope", q, shape);
  rotate(k, call);
  tap("k_rope", k, shape);

  store(k, v, call);
  const Rows mix = mix_.shape(x.rows, width);
  attention({q.data, q.stride, q.rows, heads, call.heads.data(), 1, call.visible.data(), mix.data,
             mix.stride},
            ops_.threads());
  attention_operations_ +=
      4.0 * static_cast<double>(x.rows) * static_cast<double>(x.rows) * static_cast<double>(width);
  tap("context", mix);
  const Rows out = out_.shape(x.rows, config_.hidden_size);
  ops_.clipped(mix, {{&w.o_proj, out}});
  tap("o_proj", out);
  return out;
}

Rows VisionEncoder::mlp(const VisionLayerWeights& w, const Rows& x, const TapScope& tap) {
  const Rows gate = gate_.shape(x.rows, config_.intermediate_size);
  const Rows up = up_.shape(x.rows, config_.intermediate_size);
  ops_.clipped(x, {{&w.gate_proj, gate}, {&w.up_proj, up}});
  tap("gate", gate);
  tap("up", up);
  each_row(ops_.threads(), x.rows, [&](std::size_t t) {
    gelu(gate.row(t), gate.columns, gate.row(t));
    multiply_by(gate.row(t), up.row(t), gate.columns);
  });
  tap("act", gate);
  const Rows down = out_.shape(x.rows, config_.hidden_size);
  ops_.clipped(gate, {{&w.down_proj, down}});
  tap("down", down);
  return down;
}

void VisionEncoder::layer(const VisionLayerWeights& w, const Rows& h, const Call& call,
                          const TapScope& tap) {
  const double eps = config_.rms_norm_eps;
  const Rows n = norm_.shape(h.rows, h.columns);
  ops_.norm(h, w.input_layernorm, eps, n);
  tap("attn_norm", n);
  const Rows attended = attend(w, n, call, tap.under("attn."));
  ops_.norm(attended, w.post_attention_layernorm, eps, attended);
  tap("attn_post_norm", attended);
  ops_.add(h, attended);
  tap("attn_residual", h);

  ops_.norm(h, w.pre_feedforward_layernorm, eps, n);
  tap("ffn_norm", n);
  const Rows fed = mlp(w, n, tap.under("mlp."));
  ops_.norm(fed, w.post_feedforward_layernorm, eps, fed);
  tap("ffn_post_norm", fed);
  ops_.add(h, fed);
  tap("out", h);
}

Rows VisionEncoder::pool(const Rows& h, const ImagePatches& image, const TapScope& tap) {
  const std::size_t kernel = config_.pooling_kernel_size;
  const Rows cells = pool_.shape(h.rows / (kernel * kernel), h.columns);
  std::fill_n(cells.data, cells.rows * cells.stride, 0.0F);
  for (std::size_t t = 0; t < h.rows; ++t) {
    const auto x = static_cast<std::size_t>(image.positions[kAxes * t]);
    const auto y = static_cast<std::size_t>(image.positions[kAxes * t + 1]);
    add_to(cells.row(x / kernel + image.grid.columns / kernel * (y / kernel)), h.row(t), h.columns);
  }
  const auto root = static_cast<float>(std::sqrt(static_cast<double>(h.columns)));
  const auto scale = [&](float by) {
    each_row(ops_.threads(), cells.rows,
             [&](std::size_t r) { scale_by(cells.row(r), by, cells.columns); });
  };
  scale(1.0F / static_cast<float>(kernel * kernel));
  tap("pool", cells);
  scale(root);
  tap("pool_scaled", cells);
  if (config_.standardize) {
    each_row(ops_.threads(), cells.rows, [&](std::size_t r) {
      add_scaled(cells.row(r), weights_.std_bias.data(), -1, cells.columns);
      multiply_by(cells.row(r), weights_.std_scale.data(), cells.columns);
    });
    tap("standardized", cells);
  }
  return cells;
}

Rows VisionEncoder::encode(const ImagePatches& image, const TapScope& tap) {
  check_pools(image.grid, config_.pooling_kernel_size);
  const Rows h = embed_patches(image, tap);
  const Call call = begin_call(image, tap);
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    layer(weights_.layers[i], h, call, tap.under("layer." + std::to_string(i) + "."));
  }
  const Rows pooled = pool(h, image, tap);
  tap("tower_out", pooled);
  return ops_.embed(pooled, weights_.embedding_projection, config_.rms_norm_eps,
                    EmbedOrder::kNormThenProject, tap);
}

}  // namespace assay::cpu
