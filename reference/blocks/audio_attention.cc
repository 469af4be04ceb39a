// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/audio_attention.h"

#include <cmath>
#include <numbers>

#include "reference/ops/clipped_linear.h"
#include "reference/ops/linear.h"
#include "reference/ops/local_attention.h"
#include "reference/ops/silu.h"
#include "reference/ops/softcap.h"
#include "reference/ops/softmax.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<T, N, H> split_heads(const Tensor<T, D>& x, std::size_t heads) {
  return reshaped<T, N, H>(x, {x.shape()[0], heads, x.shape()[1] / heads});
}

Tensor<T, N, H> scaled_queries(const Tensor<T, D>& q_proj, const Tensor<H>& per_dim_scale,
                               std::size_t heads) {
  auto q = split_heads(q_proj, heads);
  const std::size_t width = q.shape()[2];
  check_shape(per_dim_scale, {width}, "audio_attention: per_dim_scale");
  const auto learned = softplus(per_dim_scale);  // [H]
  const double fixed = 1 / (std::sqrt(static_cast<double>(width)) * std::numbers::ln2);
  for (std::size_t i = 0; i < q.size(); ++i) {
    q.data()[i] = q.data()[i] * static_cast<Real>(fixed) * learned(i % width);
  }
  return q;
}

Tensor<T, N, H> scaled_keys(const Tensor<T, D>& k_proj, std::size_t heads) {
  const double scale = std::log1p(std::numbers::e) / std::numbers::ln2;
  return split_heads(k_proj, heads) * static_cast<Real>(scale);
}

// Shows values by distance as [N, query, key], and takes back what the listener left there.
void tap_by_key(const TapScope& tap, const char* name, Tensor<T, N, S>& values) {
  if (tap.wants(name)) {
    auto dense = by_key(values);
    tap.whole(name, dense);
    values = by_distance(dense, values.shape()[2]);
  }
}

}  // namespace

Tensor<T, D> audio_attention(const AudioAttentionWeights& w, const AudioConfig& config,
                             const AudioWindow& window, const Tensor<T, D>& x,
                             const TapScope& tap) {
  const std::size_t heads = config.num_attention_heads;
  auto q_proj = clipped_linear(x, w.q_proj);  // [T, D]
  tap.whole("q_proj", q_proj);
  auto k_proj = clipped_linear(x, w.k_proj);  // [T, D]
  tap.whole("k_proj", k_proj);
  auto v_proj = clipped_linear(x, w.v_proj);  // [T, D]
  tap.whole("v_proj", v_proj);

  auto q = scaled_queries(q_proj, w.per_dim_scale, heads);  // [T, N, H]
  tap.whole("q_scaled", q);
  auto k = scaled_keys(k_proj, heads);  // [T, N, H]
  tap.whole("k_scaled", k);
  auto rel_k = linear_heads(window.rel_pos_table, w.relative_k_proj, heads);  // [R, N, H]
  tap.whole("rel_k", rel_k);

  auto logits = local_attention_logits(q, k, rel_k, window.keys);  // [T, N, W]
  tap_by_key(tap, "logits", logits);
  logits = softcap(logits, config.attention_logit_cap);
  tap_by_key(tap, "logits_capped", logits);
  auto probs = masked_softmax(logits, local_mask(x.shape()[0], window.keys));  // [T, N, W]
  tap_by_key(tap, "probs", probs);
  const auto mix = local_attention_mix(probs, split_heads(v_proj, heads));  // [T, N, H]
  auto context = reshaped<T, D>(mix, {x.shape()[0], v_proj.shape()[1]});
  tap.whole("context", context);
  auto post = clipped_linear(context, w.post);  // [T, D]
  tap.whole("post", post);
  return post;
}

}  // namespace assay::ASSAY_REFERENCE
