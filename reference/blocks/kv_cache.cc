// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/kv_cache.h"

#include <algorithm>

namespace assay::ASSAY_REFERENCE {

LayerCache::LayerCache(std::size_t heads, std::size_t head_dim, std::size_t capacity)
    : heads_(heads), head_dim_(head_dim), capacity_(capacity) {}

KeyValues LayerCache::tokens(std::size_t first, std::size_t end) const {
  const KeyValues none{make_tensor<S, K, H>({0, heads_, head_dim_}),
                       make_tensor<S, K, H>({0, heads_, head_dim_})};
  const auto before = end_;
  if (end > before) {
    throw Error("kv cache: got tokens up to " + std::to_string(end) + ", expected at most " +
                std::to_string(before));
  }
  LayerCache view = *this;
  view.end_ = end;
  return view.with_new(first, none);
}

KeyValues LayerCache::with_new(std::size_t first, const KeyValues& fresh) const {
  if (first < oldest_ || first > end_) {
    throw Error("kv cache: got first token " + std::to_string(first) + ", expected " +
                std::to_string(oldest_) + " to " + std::to_string(end_));
  }
  const std::size_t width = heads_ * head_dim_;
  const std::size_t past = end_ - first;
  const std::size_t keys = past + fresh.k.shape()[0];
  KeyValues all{make_tensor<S, K, H>({keys, heads_, head_dim_}),
                make_tensor<S, K, H>({keys, heads_, head_dim_})};
  for (std::size_t i = 0; i < past; ++i) {
    const auto from = static_cast<std::ptrdiff_t>(slot(first + i) * width);
    std::copy_n(k_.begin() + from, width, row(all.k, i, width).begin());
    std::copy_n(v_.begin() + from, width, row(all.v, i, width).begin());
  }
  std::copy(fresh.k.begin(), fresh.k.end(), all.k.data() + past * width);
  std::copy(fresh.v.begin(), fresh.v.end(), all.v.data() + past * width);
  return all;
}

void LayerCache::store(const KeyValues& fresh) {
  const std::size_t width = heads_ * head_dim_;
  const std::size_t count = fresh.k.shape()[0];
  const std::size_t slots = capacity_ == 0 ? end_ + count : capacity_;
  k_.resize(slots * width);
  v_.resize(slots * width);
  const std::size_t skipped = capacity_ != 0 && count > capacity_ ? count - capacity_ : 0;
  for (std::size_t i = skipped; i < count; ++i) {
    const auto to = static_cast<std::ptrdiff_t>(slot(end_ + i) * width);
    std::copy_n(row(fresh.k, i, width).begin(), width, k_.begin() + to);
    std::copy_n(row(fresh.v, i, width).begin(), width, v_.begin() + to);
  }
  end_ += count;
  if (capacity_ != 0 && end_ > capacity_) {
    oldest_ = std::max(oldest_, end_ - capacity_);
  }
}

void LayerCache::forget_from(std::size_t end) {
  if (end > end_ || (end < oldest_)) {
    throw Error("kv cache: got rollback to token " + std::to_string(end) + ", expected " +
                std::to_string(oldest_) + " to " + std::to_string(end_));
  }
  end_ = end;
}

KvCache::KvCache(const TextConfig& config, std::size_t rollback_reserve)
    : window_(config.sliding_window) {
  for (const LayerConfig& layer : config.layers) {
    // A ring of at least one slot: capacity 0 would mean no end.
    const std::size_t ring = std::max<std::size_t>(1, window_ - 1 + rollback_reserve);
    const std::size_t capacity = layer.kind == LayerKind::kSliding ? ring : 0;
    layers_.emplace_back(layer.num_key_value_heads, layer.head_dim, capacity);
  }
}

std::size_t KvCache::first_visible(LayerKind kind) const {
  const std::size_t reach = window_ - 1;
  return kind == LayerKind::kFull || length() <= reach ? 0 : length() - reach;
}

void KvCache::append_places(const std::vector<TokenPlace>& fresh) {
  for (TokenPlace place : fresh) {
    in_block_.push_back(place.block >= 0);
    place.block = -1;  // a block opens only in the call that contains it
    places_.push_back(place);
  }
}

void KvCache::forget_from(std::size_t length) {
  for (LayerCache& layer : layers_) {
    if (layer.end() > 0) {
      layer.forget_from(length);
    }
  }
  places_.resize(length);
  in_block_.resize(length);
}

}  // namespace assay::ASSAY_REFERENCE
