// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/kv_cache.h"

#include <algorithm>
#include <atomic>

namespace assay::cuda {
namespace {

constexpr std::size_t kAlign = 256;
std::atomic<std::uint64_t> next_id{1};

}  // namespace

KvCache::KvCache(const TextConfig& config, KeyType type, std::size_t context, std::size_t call)
    : TokenPlaces(config.sliding_window, context, call), id_(next_id++) {
  const std::size_t number = type == KeyType::kF32 ? sizeof(float) : sizeof(std::uint16_t);
  layers_.resize(config.first_kv_shared_layer());
  std::vector<std::size_t> places;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerConfig& layer = config.layers[i];
    const bool ring = layer.kind == LayerKind::kSliding;
    const std::size_t slots = ring ? std::min(context, ring_tokens()) : context;
    layers_[i] = {type,
                  static_cast<int>(slots),
                  static_cast<int>(layer.num_key_value_heads),
                  static_cast<int>(layer.head_dim),
                  nullptr,
                  nullptr};
    const std::size_t one = slots * layer.num_key_value_heads * layer.head_dim * number;
    for (int half = 0; half < 2; ++half) {
      places.push_back(bytes);
      bytes += (one + kAlign - 1) / kAlign * kAlign;
    }
  }
  memory_ = Memory(bytes);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].keys = static_cast<std::byte*>(memory_.data()) + places[2 * i];
    layers_[i].values = static_cast<std::byte*>(memory_.data()) + places[2 * i + 1];
  }
}

}  // namespace assay::cuda
