// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/drafter.h"

#include <cmath>
#include <string>
#include <utility>

#include "optimized/kernels/row_ops_cuda.h"
#include "optimized/kernels/sampling_cuda.h"
#include "reference/family/base/error.h"
#include "reference/family/config/drafter_target.h"

namespace assay::cuda {

Drafter::Drafter(const Model& drafter, const Model& target, const Options& options, Stream& stream)
    : model_(drafter), target_(target), stream_(stream), engine_(drafter, options, stream) {
  const Checkpoint& checkpoint = drafter.checkpoint();
  check_drafter_fits(checkpoint.config(), checkpoint.path().string(), target.config());
  in_ = Buffer<float>(2 * target.config().hidden_size);
  next_ = Buffer<float>(target.config().hidden_size);
  const std::vector<std::int64_t>& ordering = drafter.drafter.token_ordering;
  if (ordering.empty()) {
    return;
  }
  const DrafterConfig& config = *checkpoint.config().drafter;
  const std::size_t cluster = drafter.config().vocab_size / config.num_centroids;
  centroids_ = Buffer<float>(config.num_centroids);
  scored_ = Buffer<float>(config.centroid_intermediate_top_k * cluster);
  best_ = Buffer<int>(config.centroid_intermediate_top_k);
  ordering_ = Buffer<int>(ordering.size());
  const std::vector<int> tokens(ordering.begin(), ordering.end());
  stream.upload(ordering_.data(), tokens.data(), tokens.size() * sizeof(int));
  stream.synchronize();
}

// What every step attends to.
DeviceCall Drafter::put_call(const KvCache& cache, std::int32_t position, cpu::DraftWindow window) {
  const TextConfig& config = model_.config();
  engine_.inputs_.begin();
  DeviceCall call;
  call.start = cache.length() - 1;  // its query stands after the last key
  call.tokens = 1;
  for (const LayerConfig& layer : config.layers) {
    DeviceKind& kind = layer.kind == LayerKind::kSliding ? call.sliding : call.full;
    if (kind.visible == nullptr) {
      const std::size_t source = drafter_source_layer(target_.config(), layer.kind);
      const auto slots = static_cast<std::size_t>(cache.layer(source).slots);
      auto planned = cpu::drafter_kind(config, layer, cache, slots, position, window);
      planned.source = source;
      const cpu::VisibleKeys& visible = planned.visible[0];
      kind = put_kind(engine_.inputs_, planned, cache.length(),
                      Scratch::pieces(visible.last + 1 - visible.first));
    }
  }
  engine_.inputs_.upload(stream_);
  return call;
}

DeviceRows Drafter::run_layers(const DeviceRows& h, const DeviceCall& call, const KvCache& cache,
                               const cpu::TapScope& tap) {
  const Scratch& scratch = engine_.scratch_;
  const std::size_t width = model_.config().hidden_size;
  const Engine::Run run{h, scratch.rows(scratch.norm, 1, width), 0, call, cache};
  rms_norm(stream_, h, model_.layers.front().input_layernorm, model_.eps(), run.n);
  for (std::size_t j = 0; j < model_.config().num_hidden_layers(); ++j) {
    engine_.decoder_layer(j, run, tap.under("layer." + std::to_string(j) + "."));
  }
  const DeviceRows m = scratch.rows(scratch.final_norm, 1, width);
  rms_norm(stream_, h, model_.norm, model_.eps(), m);
  engine_.shown_(tap, "norm", m);
  return m;
}

void Drafter::emit_candidates(const cpu::TapScope& tap, std::size_t cluster, std::size_t count) {
  if (!tap.wants("candidate_ids")) {
    return;
  }
  std::vector<std::int32_t> ids;
  for (const int centroid : engine_.shown_.values(best_.data(), count)) {
    const std::size_t first = static_cast<std::size_t>(centroid) * cluster;
    for (std::size_t n = first; n < first + cluster; ++n) {
      ids.push_back(static_cast<std::int32_t>(model_.drafter.token_ordering[n]));
    }
  }
  tap.integers("candidate_ids", ids, {}, TapAxes::kWhole);
}

// all other tokens get the smallest score less one.
DeviceRows Drafter::ordered_logits(const DeviceRows& m, const cpu::TapScope& tap) {
  const DrafterConfig& config = *model_.checkpoint().config().drafter;
  const std::size_t vocabulary = model_.config().vocab_size;
  const std::size_t cluster = vocabulary / config.num_centroids;
  const std::size_t count = config.centroid_intermediate_top_k;
  const DeviceRows scores = device_rows(centroids_.data(), 1, config.num_centroids);
  engine_.product(model_.drafter.centroids, m, scores);
  engine_.shown_(tap, "centroid_logits", scores);
  largest(stream_, scores, static_cast<int>(count), best_.data());
  engine_.shown_.integers(tap, "centroid_index", best_.data(), count, {1, count}, TapAxes::kWhole);
  emit_candidates(tap, cluster, count);
  DeviceWeight slices = model_.head;
  slices.rows = static_cast<int>(cluster);
  ExpertRows chosen;
  chosen.experts = static_cast<int>(config.num_centroids);
  chosen.slots = static_cast<int>(count);
  chosen.choices = chosen.slots;
  chosen.most = 1;
  chosen.expert = best_.data();
  chosen.by_choice = true;
  const DeviceRows scored = device_rows(scored_.data(), count, cluster);
  expert_matmul(stream_, slices, chosen, true, m, engine_.rounds(slices), scored);
  const DeviceRows logits = engine_.scratch_.rows(engine_.scratch_.logits, 1, vocabulary);
  ordered_scores(stream_, {scored, best_.data(), ordering_.data(), logits});
  return logits;
}

DeviceRows Drafter::logits(const DeviceRows& m, const cpu::TapScope& tap) {
  if (!model_.drafter.token_ordering.empty()) {
    return ordered_logits(m, tap);
  }
  const DeviceRows logits =
      engine_.scratch_.rows(engine_.scratch_.logits, 1, model_.config().vocab_size);
  engine_.product(model_.head, m, logits);
  return logits;
}

void Drafter::reserve(std::size_t steps, std::size_t context) {
  if (engine_.reserve(1, 1, context) || tokens_.size() < steps + 1) {
    recorded_.reset();
  }
  if (tokens_.size() < steps + 1) {
    tokens_ = Buffer<int>(steps + 1);
  }
}

void Drafter::run_steps(const DeviceCall& call, const KvCache& cache, std::size_t steps,
                        cpu::Taps* taps) {
  const std::size_t width = target_.config().hidden_size;
  const DeviceRows in = device_rows(in_.data(), 1, 2 * width);
  const DeviceRows token_part = in.part(0, static_cast<int>(width));
  const DeviceRows hidden_part = in.part(static_cast<int>(width), static_cast<int>(width));
  for (std::size_t step = 0; step < steps; ++step) {
    const cpu::TapScope tap(taps, "mtp.step." + std::to_string(step) + ".");
    Embedding embedding;
    embedding.table = target_.table;
    embedding.ids = tokens_.data() + step;
    embedding.scale = std::sqrt(static_cast<float>(width));
    embed(stream_, embedding, token_part);
    engine_.shown_(tap, "token_embed", token_part);
    engine_.shown_(tap, "hidden_in", hidden_part);
    engine_.shown_(tap, "concat", in);
    const DeviceRows h = engine_.scratch_.rows(engine_.scratch_.h, 1, model_.config().hidden_size);
    engine_.product(model_.drafter.pre_projection, in, h);
    engine_.shown_(tap, "pre_proj", h);
    const DeviceRows m = run_layers(h, call, cache, tap);
    const DeviceRows next = device_rows(next_.data(), 1, width);
    engine_.product(model_.drafter.post_projection, m, next);
    engine_.shown_(tap, "post_proj", next);
    const DeviceRows scores = logits(m, tap);
    engine_.shown_(tap, "logits", scores);
    argmax(stream_, scores, tokens_.data() + step + 1);
    engine_.shown_.integers(tap, "token", tokens_.data() + step + 1, 1, {}, TapAxes::kWhole);
    stream_.copy(hidden_part.data, next.data, width * sizeof(float));
  }
}

// What differs between two drafts of one shape lies on the device.
void Drafter::run_recorded(const DeviceCall& call, const KvCache& cache, std::size_t steps) {
  const int sliding = call.sliding.pieces, full = call.full.pieces;
  if (!recorded_ || recorded_->cache != cache.id() || recorded_->steps != steps ||
      recorded_->sliding_pieces != sliding || recorded_->full_pieces != full) {
    Graph graph = stream_.record([&] { run_steps(call, cache, steps, nullptr); });
    recorded_.emplace(Recorded{cache.id(), steps, sliding, full, std::move(graph)});
  }
  stream_.run(recorded_->graph);
}

std::vector<std::int32_t> Drafter::draft(const KvCache& cache, std::int32_t token,
                                         std::int32_t position, std::span<const float> hidden,
                                         std::size_t steps, cpu::DraftWindow window,
                                         cpu::Taps* taps) {
  const std::size_t width = target_.config().hidden_size;
  if (cache.length() == 0 || hidden.size() != width || token < 0 ||
      static_cast<std::size_t>(token) >= target_.config().vocab_size) {
    throw Error("draft: got the token " + std::to_string(token) + " after " +
                std::to_string(cache.length()) + ", and a hidden vector of " +
                std::to_string(hidden.size()) + ", expected one of the vocabulary, some, and " +
                std::to_string(width));
  }
  reserve(steps, cache.context());
  const DeviceCall call = put_call(cache, position, window);
  stream_.upload(tokens_.data(), &token, sizeof token);
  stream_.upload(in_.data() + width, hidden.data(), width * sizeof(float));
  if (taps == nullptr && call.sliding.masks == nullptr && call.full.masks == nullptr) {
    run_recorded(call, cache, steps);
  } else {
    run_steps(call, cache, steps, taps);
  }
  return engine_.shown_.values(tokens_.data() + 1, steps);
}

}  // namespace assay::cuda
