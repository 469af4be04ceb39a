// SPDX-License-Identifier: Apache-2.0
// Keys and values of one sequence.
//
// A full layer has a slot for every token of the context, a sliding layer a ring that holds the
// window and the tokens of one call. A layer that shares keys has nothing of its own. All of it is
// one piece of memory, taken before the first token and written as tokens come.  Spec: R-61 to
//
#pragma once

#include <cstddef>
#include <vector>

#include "optimized/device/pages.h"
#include "optimized/engine/token_places.h"
#include "optimized/kernels/attention.h"

namespace assay::cpu {

class KvCache : public TokenPlaces {
 public:
  // Room for `context` tokens in calls of at most `call` of them.
  KvCache(const TextConfig& config, CacheType type, std::size_t context, std::size_t call);

  std::size_t bytes() const { return memory_.size(); }

  // A cache for each head of keys of layer `layer`, which owns them.
  const std::vector<HeadCache>& heads(std::size_t layer) const { return layers_[layer]; }

 private:
  std::vector<std::vector<HeadCache>> layers_;
  Pages memory_;
};

}  // namespace assay::cpu
