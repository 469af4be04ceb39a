// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/cache_taps.h"

#include <algorithm>
#include <string>
#include <vector>

namespace assay::cuda {
namespace {

struct Span {
  std::size_t first = 0;
  std::size_t end = 0;
};

void emit(const cpu::TapScope& tap, const char* name, const LayerCache& cache, bool values,
          Span span, TapAxes axes, Stream& stream, Shown& shown) {
  if (!tap.wants(name)) {
    return;
  }
  const std::size_t count = span.end - span.first;
  const auto heads = static_cast<std::size_t>(cache.heads);
  const auto head_dim = static_cast<std::size_t>(cache.head_dim);
  std::vector<std::size_t> keys;
  for (std::size_t s = span.first; s < span.end; ++s) {
    keys.push_back(s);
  }
  float* const room = shown.room(0, count * heads * head_dim);
  load_cached(stream, cache, values, static_cast<int>(span.first), static_cast<int>(count), room);
  const auto numbers = shown.values(device_rows(room, count, heads * head_dim));
  tap.by_keys(name, keys, {count, heads, head_dim}, numbers.data(), axes);
}

}  // namespace

void emit_context(const cpu::TapScope& tap, std::size_t source, std::size_t first, std::size_t end,
                  const LayerCache& cache, Stream& stream, Shown& shown) {
  const std::int32_t number[] = {static_cast<std::int32_t>(source)};
  tap.integers("kv_source", number, {1}, TapAxes::kWhole);
  emit(tap, "k_ctx", cache, false, {first, end}, TapAxes::kKeys, stream, shown);
  emit(tap, "v_ctx", cache, true, {first, end}, TapAxes::kKeys, stream, shown);
}

void emit_caches(const cpu::TapScope& tap, const TextConfig& config, const KvCache& cache,
                 Stream& stream, Shown& shown) {
  const std::size_t end = cache.length();
  for (std::size_t i = 0; tap.listening() && i < config.first_kv_shared_layer(); ++i) {
    const cpu::TapScope at = tap.under("layer." + std::to_string(i) + ".cache.");
    const std::size_t kept =
        config.layers[i].kind == LayerKind::kSliding
            ? std::min(end, std::max<std::size_t>(1, config.sliding_window - 1))
            : end;
    const Span span{end - kept, end};
    emit(at, "k", cache.layer(i), false, span, TapAxes::kWhole, stream, shown);
    emit(at, "v", cache.layer(i), true, span, TapAxes::kWhole, stream, shown);
    std::vector<std::int32_t> positions;
    for (std::size_t s = end - kept; s < end; ++s) {
      positions.push_back(cache.place(s).position);
    }
    at.integers("pos", positions, {}, TapAxes::kWhole);
  }
}

}  // namespace assay::cuda
