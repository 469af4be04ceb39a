// SPDX-License-Identifier: Apache-2.0
// What a layer remembers: keys after norm and RoPE, values after norm, and where they stood.
//
// A full layer keeps every token. A sliding layer keeps a ring of the last W - 1 tokens, plus a
// reserve for taking tokens back (speculative decoding): token i lies in slot i mod capacity. A
// call of T tokens sees the past W - 1 and all T new ones before anything is overwritten. Layers
// that share keys keep nothing.  Spec.
#pragma once

#include <cstddef>
#include <vector>

#include "reference/core/tensor.h"
#include "reference/family/config/config.h"
#include "reference/ops/attention_mask.h"

namespace assay::ASSAY_REFERENCE {

// What one layer attends to in one call.
struct KeyValues {
  Tensor<S, K, H> k;
  Tensor<S, K, H> v;
};

class LayerCache {
 public:
  LayerCache(std::size_t heads, std::size_t head_dim, std::size_t capacity);  // capacity 0: no end

  // Tokens [first, end) followed by the new ones; first must still be here.
  KeyValues with_new(std::size_t first, const KeyValues& fresh) const;
  KeyValues tokens(std::size_t first, std::size_t end) const;
  void store(const KeyValues& fresh);
  void forget_from(std::size_t end);  // rollback: tokens end, end + 1, ... never were

  std::size_t end() const { return end_; }
  std::size_t oldest() const { return oldest_; }

 private:
  std::size_t slot(std::size_t token) const { return capacity_ == 0 ? token : token % capacity_; }

  std::size_t heads_;
  std::size_t head_dim_;
  std::size_t capacity_;
  std::size_t oldest_ = 0;
  std::size_t end_ = 0;
  std::vector<Real> k_;  // [slots, heads * head_dim]
  std::vector<Real> v_;
};

class KvCache {
 public:
  // rollback_reserve: how many tokens forget_from may take back without losing what the window
  // then needs.
  KvCache(const TextConfig& config, std::size_t rollback_reserve);

  std::size_t length() const { return places_.size(); }
  const std::vector<TokenPlace>& places() const { return places_; }
  bool ends_in_block() const { return !in_block_.empty() && in_block_.back(); }

  LayerCache& layer(std::size_t i) { return layers_[i]; }
  const LayerCache& layer(std::size_t i) const { return layers_[i]; }

  // First token that a layer of this kind may still see in a call that starts now.
  std::size_t first_visible(LayerKind kind) const;

  void append_places(const std::vector<TokenPlace>& fresh);
  void forget_from(std::size_t length);

 private:
  std::size_t window_;
  std::vector<LayerCache> layers_;  // index: layer; those of sharing layers stay empty
  std::vector<TokenPlace> places_;
  std::vector<bool> in_block_;  // whether a token was part of a vision block
};

}  // namespace assay::ASSAY_REFERENCE
