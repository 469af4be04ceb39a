// SPDX-License-Identifier: Apache-2.0
// A multi-token-prediction drafter: a few layers that read the target's keys and values.
//
//   e  = embed_tokens_target[x] sqrt(B),  c = concat(e, n)
//   h  = pre_projection c, then decoder layers with queries only
//   m  = rms_norm(h, norm),  n' = post_projection m
//   logits = embed_tokens_draft m, or the ordered head
//
// x is the newest token, at position p, which the cache has not; n is the target's final norm at
// p - 1. Full layers see every key of the cache, sliding layers the last W + 1 of them, or those
// after p - W.
//
// The ordered head scores the tokens of the best centroids alone. Its rows are packed in the order
// of the centroids, so that a centroid is a run of rows and is read as one.  Spec.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "optimized/engine/engine.h"

namespace assay::cpu {

class Drafter {
 public:
  // Keeps references to all. Throws Error when the drafter does not fit the target.
  Drafter(const Model& drafter, const Model& target, const Options& options,
          const Threads& threads);

  // Drafts `steps` tokens greedily after `token`, which stands at `position`; `hidden` [B] is the
  // target's final norm of the token before it. The cache is only read; of its sliding layers it
  // must still hold the last W + 1 keys. Taps are mtp.step.{s}.….
  std::vector<std::int32_t> draft(const KvCache& cache, std::int32_t token, std::int32_t position,
                                  std::span<const float> hidden, std::size_t steps,
                                  DraftWindow window, Taps* taps = nullptr);

 private:
  Rows run_layers(const Rows& h, const Call& call, const KvCache& cache, const TapScope& tap);
  Rows logits(const Rows& m, const TapScope& tap);
  Rows ordered_logits(const Rows& m, const TapScope& tap);

  const Model& model_;
  const Model& target_;
  Engine engine_;  // of the drafter's layers
  RowBuffer in_, hidden_, norm_, logits_, centroids_, candidates_;
};

}  // namespace assay::cpu
