// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cache_taps.h"

#include <algorithm>
#include <string>

namespace assay::cpu {
namespace {

using Load = void (*)(const HeadCache& cache, std::size_t index, float* out);

// [tokens, heads, head_dim]
std::vector<float> gather(const std::vector<HeadCache>& heads, std::size_t first, std::size_t end,
                          Load load) {
  const std::size_t head_dim = heads[0].head_dim;
  std::vector<float> values((end - first) * heads.size() * head_dim);
  float* out = values.data();
  for (std::size_t s = first; s < end; ++s) {
    for (const HeadCache& head : heads) {
      load(head, s, out);
      out += head_dim;
    }
  }
  return values;
}

void emit(const TapScope& tap, const char* name, const std::vector<HeadCache>& heads,
          std::size_t first, std::size_t end, Load load, TapAxes axes) {
  if (!tap.wants(name)) {
    return;
  }
  std::vector<std::size_t> keys;
  for (std::size_t s = first; s < end; ++s) {
    keys.push_back(s);
  }
  const auto values = gather(heads, first, end, load);
  tap.by_keys(name, keys, {end - first, heads.size(), heads[0].head_dim}, values.data(), axes);
}

}  // namespace

void emit_context(const TapScope& tap, std::size_t source, std::size_t first, std::size_t end,
                  const std::vector<HeadCache>& heads) {
  const std::int32_t number[] = {static_cast<std::int32_t>(source)};
  tap.integers("kv_source", number, {1}, TapAxes::kWhole);
  emit(tap, "k_ctx", heads, first, end, load_key, TapAxes::kKeys);
  emit(tap, "v_ctx", heads, first, end, load_value, TapAxes::kKeys);
}

void emit_caches(const TapScope& tap, const TextConfig& config, const KvCache& cache) {
  const std::size_t end = cache.length();
  for (std::size_t i = 0; tap.listening() && i < config.first_kv_shared_layer(); ++i) {
    const TapScope at = tap.under("layer." + std::to_string(i) + ".cache.");
    const std::size_t kept =
        config.layers[i].kind == LayerKind::kSliding
            ? std::min(end, std::max<std::size_t>(1, config.sliding_window - 1))
            : end;
    emit(at, "k", cache.heads(i), end - kept, end, load_key, TapAxes::kWhole);
    emit(at, "v", cache.heads(i), end - kept, end, load_value, TapAxes::kWhole);
    std::vector<std::int32_t> positions;
    for (std::size_t s = end - kept; s < end; ++s) {
      positions.push_back(cache.place(s).position);
    }
    at.integers("pos", positions, {}, TapAxes::kWhole);
  }
}

}  // namespace assay::cpu
