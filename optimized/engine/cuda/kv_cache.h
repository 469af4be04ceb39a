// SPDX-License-Identifier: Apache-2.0
// Keys and values of one sequence on a device.
//
// A full layer has a slot for every token of the context, a sliding layer a ring that holds the
// window and the tokens of one call. A layer that shares keys has nothing of its own. All of it is
// one piece of memory, taken before the first token.  Spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "optimized/engine/token_places.h"
#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {

class KvCache : public cpu::TokenPlaces {
 public:
  // Room for `context` tokens in calls of at most `call` of them.
  KvCache(const TextConfig& config, KeyType type, std::size_t context, std::size_t call);

  std::size_t bytes() const { return memory_.size(); }
  // Of a layer that owns keys.
  const LayerCache& layer(std::size_t i) const { return layers_[i]; }
  // Another for every cache that was ever made.
  std::uint64_t id() const { return id_; }

 private:
  std::vector<LayerCache> layers_;
  Memory memory_;
  std::uint64_t id_;
};

}  // namespace assay::cuda
