// SPDX-License-Identifier: Apache-2.0
// Grouped-query attention of one layer; reference/blocks/self_attention.h has the formulas.
#include <algorithm>

#include "optimized/engine/cache_taps.h"
#include "optimized/engine/each_row.h"
#include "optimized/engine/engine.h"
#include "optimized/kernels/row_ops.h"

namespace assay::cpu {
namespace {

void rotate_heads(const Threads& threads, const Rows& x, const KindOfCall& kind,
                  std::size_t first_token) {
  each_row(threads, x.rows, [&](std::size_t t) {
    const std::size_t at = (first_token + t) * kind.half;
    rope(x.row(t), x.columns / (2 * kind.half), kind.half, kind.cos.data() + at,
         kind.sin.data() + at);
  });
}

void store(const Threads& threads, const Rows& k, const Rows& v, const Call& call,
           const std::vector<HeadCache>& heads) {
  threads.split(k.rows, 16, [&](std::size_t first, std::size_t end) {
    for (std::size_t t = first; t < end; ++t) {
      for (std::size_t head = 0; head < heads.size(); ++head) {
        const std::size_t at = head * heads[head].head_dim;
        store_key_value(heads[head], call.start + t, k.row(t) + at, v.row(t) + at);
      }
    }
  });
}

}  // namespace

void Engine::norm_heads(const Rows& x, std::size_t head_dim, const Vector* scale) const {
  each_row(threads_, x.rows, [&](std::size_t t) {
    for (float* head = x.row(t); head < x.row(t) + x.columns; head += head_dim) {
      rms_norm(head, scale == nullptr ? nullptr : scale->data(), model_.config().rms_norm_eps,
               head_dim, head);
    }
  });
}

// Keys and values of the call's tokens, normed, rotated and stored.
void Engine::own_keys(std::size_t i, const Rows& k, const Rows& v, const Call& call,
                      const KvCache& cache, const TapScope& tap) {
  const LayerConfig& layer = model_.config().layers[i];
  const std::vector<std::size_t> shape = {k.rows, layer.num_key_value_heads, layer.head_dim};
  tap("k_proj", k, shape);
  if (layer.k_eq_v) {
    each_row(threads_, k.rows, [&](std::size_t t) { std::copy_n(k.row(t), k.columns, v.row(t)); });
  }
  tap("v_proj", v, shape);
  norm_heads(k, layer.head_dim, &model_.layers[i].self_attn.k_norm);
  tap("k_norm", k, shape);
  rotate_heads(threads_, k, call.of(layer.kind), 0);
  tap("k_rope", k, shape);
  norm_heads(v, layer.head_dim, nullptr);
  tap("v_norm", v, shape);
  store(threads_, k, v, call, cache.heads(i));
}

// Keys and values that the queries read, each once for a token.
void Engine::count_keys(const KindOfCall& kind, std::size_t first_token,
                        const std::vector<HeadCache>& caches) {
  const HeadCache& cache = caches[0];
  double keys = 0;
  for (std::size_t t = first_token; t < kind.visible.size(); ++t) {
    keys += static_cast<double>(kind.visible[t].last + 1 - kind.visible[t].first);
  }
  work_.bytes +=
      keys * 2 * cached_bytes(cache.type) * static_cast<double>(cache.head_dim * caches.size());
}

Rows Engine::self_attention(std::size_t i, const Rows& n, const Call& call, const KvCache& cache,
                            const TapScope& tap) {
  const TextConfig& config = model_.config();
  const LayerConfig& layer = config.layers[i];
  const AttentionWeights& w = model_.layers[i].self_attn;
  const KindOfCall& kind = call.of(layer.kind);
  const std::size_t heads = config.num_attention_heads;
  const std::size_t first_token = call.tokens - n.rows;  // those before were skipped
  const std::size_t key_width = layer.num_key_value_heads * layer.head_dim;
  const Rows q = q_.shape(n.rows, heads * layer.head_dim);
  const Rows k = k_.shape(n.rows, key_width);
  const Rows v = v_.shape(n.rows, key_width);
  products(n, {{&w.q_proj, q}, {&w.k_proj, k}, {&w.v_proj, v}});

  const std::vector<std::size_t> shape = {n.rows, heads, layer.head_dim};
  tap("q_proj", q, shape);
  norm_heads(q, layer.head_dim, &w.q_norm);
  tap("q_norm", q, shape);
  rotate_heads(threads_, q, kind, first_token);
  tap("q_rope", q, shape);
  if (!config.shares_kv(i)) {
    own_keys(i, k, v, call, cache, tap);
  }
  const std::size_t source = kind.source.value_or(layer.kv_source);
  const auto& caches = cache.heads(source);
  emit_context(tap, source, kind.first_key, call.start + call.tokens, caches);

  const Rows mix = mix_.shape(n.rows, heads * layer.head_dim);
  attention({q.data, q.stride, n.rows, heads, caches.data(), heads / caches.size(),
             kind.visible.data() + first_token, mix.data, mix.stride},
            threads_);
  count_keys(kind, first_token, caches);
  tap("mix", mix, shape);
  const Rows out = out_.shape(n.rows, config.hidden_size);
  products(mix, {{&w.o_proj, out}});
  tap("o_proj", out);
  return out;
}

}  // namespace assay::cpu
