// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/drafter.h"

#include <algorithm>
#include <cmath>

#include "optimized/kernels/largest.h"
#include "optimized/kernels/row_ops.h"
#include "reference/family/base/error.h"
#include "reference/family/config/drafter_target.h"

namespace assay::cpu {
namespace {

std::int32_t greedy(const Rows& logits) {
  return static_cast<std::int32_t>(std::max_element(logits.data, logits.data + logits.columns) -
                                   logits.data);
}

}  // namespace

Drafter::Drafter(const Model& drafter, const Model& target, const Options& options,
                 const Threads& threads)
    : model_(drafter), target_(target), engine_(drafter, options, threads) {
  const Checkpoint& checkpoint = drafter.checkpoint();
  check_drafter_fits(checkpoint.config(), checkpoint.path().string(), target.config());
}

Rows Drafter::run_layers(const Rows& h, const Call& call, const KvCache& cache,
                         const TapScope& tap) {
  for (std::size_t j = 0; j < model_.config().num_hidden_layers(); ++j) {
    engine_.decoder_layer(j, h, call, cache, tap.under("layer." + std::to_string(j) + "."));
  }
  const Rows m = norm_.shape(1, h.columns);
  engine_.norm(h, model_.norm, m);
  tap("norm", m);
  return m;
}

// all other tokens get the smallest score less one.
Rows Drafter::ordered_logits(const Rows& m, const TapScope& tap) {
  const DrafterWeights& w = model_.drafter;
  const DrafterConfig& config = *model_.checkpoint().config().drafter;
  const std::size_t vocabulary = model_.config().vocab_size;
  const std::size_t cluster = vocabulary / config.num_centroids;
  const Rows scores = centroids_.shape(1, config.num_centroids);
  engine_.products(m, {{&w.centroids, scores}});
  tap("centroid_logits", scores);
  const auto best = largest(scores.data, scores.columns, config.centroid_intermediate_top_k);
  tap.integers("centroid_index", best, {1, best.size()}, TapAxes::kWhole);

  // The tiles that a centroid's rows lie in, one product each.
  const std::size_t width = round_up(cluster + kTileRows, kTileRows) + kTileRows;
  const Rows scored = candidates_.shape(best.size(), width);
  std::vector<WeightView> runs(best.size());
  std::vector<Engine::Output> outputs;
  for (std::size_t i = 0; i < best.size(); ++i) {
    const std::size_t first = static_cast<std::size_t>(best[i]) * cluster;
    const std::size_t tile = first / kTileRows;
    runs[i] = model_.head;
    runs[i].data += tile * model_.head.tile;
    runs[i].rows = std::min(model_.head.rows, first + cluster) - tile * kTileRows;
    outputs.push_back({&runs[i], scored.from(i, 1)});
  }
  engine_.products(m, outputs);

  const Rows logits = logits_.shape(1, vocabulary);
  std::vector<std::int32_t> ids;
  float least = INFINITY;
  for (std::size_t i = 0; i < best.size(); ++i) {
    const std::size_t first = static_cast<std::size_t>(best[i]) * cluster;
    for (std::size_t n = first; n < first + cluster; ++n) {
      ids.push_back(static_cast<std::int32_t>(w.token_ordering[n]));
      least = std::min(least, scored.row(i)[n - first / kTileRows * kTileRows]);
    }
  }
  tap.integers("candidate_ids", ids, {}, TapAxes::kWhole);
  std::fill_n(logits.data, vocabulary, least - 1);
  for (std::size_t at = 0; at < ids.size(); ++at) {
    const std::size_t first = static_cast<std::size_t>(best[at / cluster]) * cluster;
    logits.data[ids[at]] = scored.row(at / cluster)[first % kTileRows + at % cluster];
  }
  return logits;
}

Rows Drafter::logits(const Rows& m, const TapScope& tap) {
  if (!model_.drafter.token_ordering.empty()) {
    return ordered_logits(m, tap);
  }
  const Rows logits = logits_.shape(1, model_.config().vocab_size);
  engine_.products(m, {{&model_.head, logits}});
  return logits;
}

std::vector<std::int32_t> Drafter::draft(const KvCache& cache, std::int32_t token,
                                         std::int32_t position, std::span<const float> hidden,
                                         std::size_t steps, DraftWindow window, Taps* taps) {
  const std::size_t width = target_.config().hidden_size;
  if (cache.length() == 0 || hidden.size() != width) {
    throw Error("draft: got " + std::to_string(cache.length()) + " tokens and a hidden vector of " +
                std::to_string(hidden.size()) + ", expected some and " + std::to_string(width));
  }
  Call call;
  call.start = cache.length() - 1;  // its query stands after the last key
  call.tokens = 1;
  for (const LayerConfig& layer : model_.config().layers) {
    KindOfCall& kind = layer.kind == LayerKind::kSliding ? call.sliding : call.full;
    if (kind.visible.empty()) {
      const std::size_t source = drafter_source_layer(target_.config(), layer.kind);
      kind = drafter_kind(model_.config(), layer, cache, cache.heads(source)[0].slots, position,
                          window);
      kind.source = source;
    }
  }
  const Rows in = in_.shape(1, 2 * width);
  const Rows token_part{in.data, in.stride, 1, width};
  const Rows hidden_part{in.data + width, in.stride, 1, width};
  std::copy(hidden.begin(), hidden.end(), hidden_part.data);
  std::vector<std::int32_t> drafted;
  for (std::size_t step = 0; step < steps; ++step) {
    const TapScope tap(taps, "mtp.step." + std::to_string(step) + ".");
    target_.token_row(token, token_part.data);
    scale_by(token_part.data, std::sqrt(static_cast<float>(width)), width);
    tap("token_embed", token_part);
    tap("hidden_in", hidden_part);
    tap("concat", in);
    const Rows h = engine_.h_.shape(1, model_.config().hidden_size);
    engine_.products(in, {{&model_.drafter.pre_projection, h}});
    tap("pre_proj", h);
    const Rows m = run_layers(h, call, cache, tap);
    const Rows next = hidden_.shape(1, width);
    engine_.products(m, {{&model_.drafter.post_projection, next}});
    tap("post_proj", next);
    const Rows scores = logits(m, tap);
    tap("logits", scores);
    token = greedy(scores);
    tap.integers("token", {&token, 1}, {}, TapAxes::kWhole);
    std::copy_n(next.data, width, hidden_part.data);
    drafted.push_back(token);
  }
  return drafted;
}

}  // namespace assay::cpu
