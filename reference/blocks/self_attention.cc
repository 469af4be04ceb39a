// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/self_attention.h"

#include <algorithm>

#include "reference/ops/attention.h"
#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/softmax.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<T, N, H> rotated_queries(const SelfAttentionWeights& w, std::size_t num_heads, double eps,
                                const Tensor<T, D>& x, const RopeTable& table,
                                const TapScope& tap) {
  auto q = linear_heads(x, w.q_proj, num_heads);  // [T, N, H]
  tap("q_proj", q);
  q = rms_norm_heads(q, w.q_norm, eps);
  tap("q_norm", q);
  q = rope(q, table);
  tap("q_rope", q);
  return q;
}

// Keys and values of the tokens of this call.
KeyValues own_keys_and_values(const SelfAttentionWeights& w, const LayerConfig& layer, double eps,
                              const Tensor<T, D>& x, const RopeTable& table, const TapScope& tap) {
  auto k = linear_heads(x, *w.k_proj, layer.num_key_value_heads);  // [T, K, H]
  tap("k_proj", k);
  auto v = layer.k_eq_v ? k : linear_heads(x, *w.v_proj, layer.num_key_value_heads);
  tap("v_proj", v);
  k = rms_norm_heads(k, *w.k_norm, eps);
  tap("k_norm", k);
  k = rope(k, table);
  tap("k_rope", k);
  v = rms_norm_heads_unscaled(v, eps);
  tap("v_norm", v);
  return {std::move(k), std::move(v)};
}

Tensor<T, D> concat_heads(const Tensor<T, N, H>& x) {
  auto flat = make_tensor<T, D>({x.shape()[0], x.shape()[1] * x.shape()[2]});
  std::copy(x.begin(), x.end(), flat.begin());
  return flat;
}

// The cached keys and values that the call still sees, and the call's own after them.
KeyValues keys_and_values(const SelfAttentionWeights& w, const LayerConfig& layer, double eps,
                          const Tensor<T, D>& x, const AttentionCall& call, const TapScope& tap) {
  if (call.cache == nullptr) {
    return *call.shared;
  }
  const auto fresh = own_keys_and_values(w, layer, eps, x, *call.rope, tap);
  auto all = call.cache->with_new(call.keys->front(), fresh);
  call.cache->store(fresh);
  return all;
}

}  // namespace

AttentionResult self_attention(const SelfAttentionWeights& w, const LayerConfig& layer,
                               std::size_t num_heads, double eps, const Tensor<T, D>& x,
                               const AttentionCall& call, const TapScope& tap) {
  const auto q = rotated_queries(w, num_heads, eps, x, *call.rope, tap);
  auto context = keys_and_values(w, layer, eps, x, call, tap);
  IntTensor<R> source = {static_cast<std::int32_t>(call.kv_source)};
  tap.whole("kv_source", source);
  tap.at("k_ctx", TapAxes::kKeys, *call.keys, context.k);
  tap.at("v_ctx", TapAxes::kKeys, *call.keys, context.v);

  auto scores = attention_scores(q, context.k);  // [T, N, S]
  tap.at("scores", TapAxes::kRowsByKeys, *call.keys, scores);
  auto probs = masked_softmax(scores, *call.visible);  // [T, N, S]
  tap.at("probs", TapAxes::kRowsByKeys, *call.keys, probs);
  auto mix = attention_mix(probs, context.v);  // [T, N, H]
  tap("mix", mix);
  auto output = linear(concat_heads(mix), w.o_proj);  // [T, D]
  tap("o_proj", output);
  return {std::move(output), std::move(context)};
}

}  // namespace assay::ASSAY_REFERENCE
