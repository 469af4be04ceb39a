// SPDX-License-Identifier: Apache-2.0
// A multi-token-prediction drafter: four layers that read the target's keys and values.
//
//   e  = embed_tokens_target[x] * sqrt(B),  c = concat(e, n)            token first
//   h  = pre_projection c, then decoder layers with queries only       
//   m  = rms_norm(h, norm),  n' = post_projection m                    
//   logits = embed_tokens_draft m, or the ordered head                 
//
// x is the newest token, at position p, which is not in the target's cache; n is the target's
// final norm at p - 1. The query position stays p for every step of a round. Full layers
// see keys 0 ... p-1; sliding layers the last W + 1 of them (kLastKeys, what transformers does) or
// those with s > p - W (kStandard). No source says how drafters were trained.
// Source: transformers 5.22.2, models/gemma4_assistant.  Spec.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/model/transformer.h"

namespace assay::ASSAY_REFERENCE {

enum class DraftWindow { kLastKeys, kStandard };

class Drafter {
 public:
  // Keeps references to both. Throws when the drafter does not fit the target.
  Drafter(const Checkpoint& drafter, const Transformer& target);

  // Drafts `steps` tokens greedily after `token`, which stands at `position`. `hidden` [1, B] is
  // the target's final norm of the token before it. Taps are `mtp.step.{s}.…`.
  std::vector<std::int32_t> draft(const KvCache& cache, std::int32_t token, std::int32_t position,
                                  Tensor<T, D> hidden, std::size_t steps, DraftWindow window,
                                  Taps& taps) const;

  // Tokens a target cache must hold beyond the window for `draft`, when a round of `steps` may be
  // taken back.
  static std::size_t rollback_reserve(std::size_t steps) { return steps + 3; }

 private:
  struct Context;
  Context attended(const KvCache& cache, const LayerConfig& layer, std::int32_t position,
                   DraftWindow window) const;
  Tensor<T, D> run_layers(Tensor<T, D> h, std::vector<Context>& contexts,
                          const TapScope& tap) const;
  Tensor<T, V> ordered_logits(const Tensor<T, D>& m, const TapScope& tap) const;

  const Transformer& target_;
  const ModelConfig& config_;
  WeightReader reader_;
  std::vector<std::int64_t> token_ordering_;
};

}  // namespace assay::ASSAY_REFERENCE
