// SPDX-License-Identifier: Apache-2.0
// A multi-token-prediction drafter on a device: a few layers that read the target's keys and
// values.
//
//   e  = embed_tokens_target[x] sqrt(B),  c = concat(e, n)
//   h  = pre_projection c, then decoder layers with queries only
//   m  = rms_norm(h, norm),  n' = post_projection m
//   logits = embed_tokens_draft m, or the ordered head
//
// optimized/engine/drafter.h says more. A token that was drafted stays on the device: the next step
// looks up its row there, and all of them come back together. The rows of an ordered head lie in
// the order of its centroids, so that a centroid is a slice of rows, as an expert is. The steps of
// a draft without taps are one list of launches, recorded once for a cache and run again.  Spec:
//
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "optimized/engine/cuda/engine.h"

namespace assay::cuda {

class Drafter {
 public:
  // Keeps references to all. Throws Error when the drafter does not fit the target.
  Drafter(const Model& drafter, const Model& target, const Options& options, Stream& stream);

  // Drafts `steps` tokens greedily after `token`, which stands at `position`; `hidden` [B] is the
  // target's final norm of the token before it. The cache is only read; of its sliding layers it
  // must still hold the last W + 1 keys. Taps are mtp.step.{s}.….
  std::vector<std::int32_t> draft(const KvCache& cache, std::int32_t token, std::int32_t position,
                                  std::span<const float> hidden, std::size_t steps,
                                  cpu::DraftWindow window, cpu::Taps* taps = nullptr);

  // How many launches and copies a recorded draft has; 0 before the first.
  std::size_t recorded() const { return recorded_ ? recorded_->graph.size() : 0; }

 private:
  struct Recorded {
    std::uint64_t cache;
    std::size_t steps;
    int sliding_pieces, full_pieces;
    Graph graph;
  };
  void reserve(std::size_t steps, std::size_t context);
  void run_steps(const DeviceCall& call, const KvCache& cache, std::size_t steps, cpu::Taps* taps);
  void run_recorded(const DeviceCall& call, const KvCache& cache, std::size_t steps);
  DeviceCall put_call(const KvCache& cache, std::int32_t position, cpu::DraftWindow window);
  DeviceRows run_layers(const DeviceRows& h, const DeviceCall& call, const KvCache& cache,
                        const cpu::TapScope& tap);
  DeviceRows logits(const DeviceRows& m, const cpu::TapScope& tap);
  DeviceRows ordered_logits(const DeviceRows& m, const cpu::TapScope& tap);
  void emit_candidates(const cpu::TapScope& tap, std::size_t cluster, std::size_t count);

  const Model& model_;
  const Model& target_;
  Stream& stream_;
  Engine engine_;  // of the drafter's layers
  Buffer<float> in_, next_, centroids_, scored_;
  Buffer<int> best_, ordering_, tokens_;
  std::optional<Recorded> recorded_;
};

}  // namespace assay::cuda
