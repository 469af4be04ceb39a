// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/kv_cache.h"

#include <algorithm>
#include <utility>

#include "optimized/packing/packed_weight.h"

namespace assay::cpu {

KvCache::KvCache(const TextConfig& config, CacheType type, std::size_t context, std::size_t call)
    : TokenPlaces(config.sliding_window, context, call) {
  const std::size_t all = round_up(context, kKeyBlock);
  const std::size_t ring = std::min(all, round_up(ring_tokens(), kKeyBlock));
  std::vector<std::pair<HeadCache*, std::size_t>> places;
  layers_.resize(config.layers.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < config.first_kv_shared_layer(); ++i) {
    const LayerConfig& layer = config.layers[i];
    layers_[i].resize(layer.num_key_value_heads);
    for (HeadCache& head : layers_[i]) {
      head.slots = layer.kind == LayerKind::kSliding ? ring : all;
      head.head_dim = layer.head_dim;
      places.emplace_back(&head, bytes);
      bytes += head_bytes(type, head.slots, layer.head_dim);
    }
  }
  memory_ = Pages(bytes);
  for (const auto& [head, at] : places) {
    *head = head_cache(type, head->slots, head->head_dim, memory_.data() + at);
  }
}

}  // namespace assay::cpu
