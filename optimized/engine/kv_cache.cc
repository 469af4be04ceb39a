// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/kv_cache.h"

#include <algorithm>
#include <string>

#include "optimized/kernels/attention_tile.h"
#include "optimized/packing/packed_weight.h"
#include "reference/family/base/error.h"

namespace assay::cpu {

namespace {

bool stands_at(const TokenPlace& place, std::size_t index) {
  return place.valid && place.position == static_cast<std::int32_t>(index);
}

}  // namespace

KvCache::KvCache(const TextConfig& config, CacheType type, std::size_t context, std::size_t call)
    : window_(config.sliding_window), context_(context), call_(std::min(call, context)) {
  const std::size_t number = type == CacheType::kF32 ? sizeof(float) : sizeof(std::uint16_t);
  const std::size_t all = round_up(context, kKeyBlock);
  // The window, the call, and two keys more, which drafters see.
  const std::size_t ring = std::min(all, round_up(window_ + 1 + call_, kKeyBlock));
  std::vector<std::pair<HeadCache*, std::size_t>> places;
  layers_.resize(config.layers.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < config.first_kv_shared_layer(); ++i) {
    const LayerConfig& layer = config.layers[i];
    layers_[i].resize(layer.num_key_value_heads);
    for (HeadCache& head : layers_[i]) {
      head.type = type;
      head.slots = layer.kind == LayerKind::kSliding ? ring : all;
      head.head_dim = layer.head_dim;
      places.emplace_back(&head, bytes);
      bytes += head.slots * (layer.head_dim + value_stride(layer.head_dim)) * number;
    }
  }
  memory_ = Pages(bytes);
  for (const auto& [head, at] : places) {
    head->keys = memory_.data() + at;
    head->values = head->keys + head->slots * head->head_dim * number;
  }
}

std::size_t KvCache::first_visible(LayerKind kind, std::size_t start) const {
  const std::size_t reach = window_ - 1;
  return kind == LayerKind::kFull || start <= reach ? 0 : start - reach;
}

void KvCache::append(const std::vector<TokenPlace>& fresh) {
  if (fresh.size() > call_ || length() + fresh.size() > context_) {
    throw Error("context: got " + std::to_string(fresh.size()) + " tokens after " +
                std::to_string(length()) + ", expected at most " + std::to_string(call_) +
                " in a call and " + std::to_string(context_) + " in all");
  }
  for (TokenPlace place : fresh) {
    ended_in_block_ = place.block >= 0;
    place.block = -1;  // a block opens only in the call that contains it
    others_ += stands_at(place, places_.size()) ? 0 : 1;
    places_.push_back(place);
  }
}

void KvCache::forget_from(std::size_t length) {
  if (length > places_.size() || places_.size() - length > call_) {
    throw Error("kv cache: got rollback to token " + std::to_string(length) +
                ", expected at most " + std::to_string(call_) + " tokens before " +
                std::to_string(places_.size()));
  }
  for (; places_.size() > length; places_.pop_back()) {
    others_ -= stands_at(places_.back(), places_.size() - 1) ? 0 : 1;
  }
  ended_in_block_ = false;
}

}  // namespace assay::cpu
