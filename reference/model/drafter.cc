// SPDX-License-Identifier: Apache-2.0
#include "reference/model/drafter.h"

#include <algorithm>

#include "reference/blocks/decoder_layer.h"
#include "reference/blocks/embedder.h"
#include "reference/family/checkpoint/token_ordering.h"
#include "reference/family/config/drafter_target.h"
#include "reference/model/generate.h"
#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/top_k.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<T, D> concat(const Tensor<T, D>& first, const Tensor<T, D>& second) {
  auto both = make_tensor<T, D>({1, first.size() + second.size()});
  std::copy(first.begin(), first.end(), both.begin());
  std::copy(second.begin(), second.end(), both.begin() + static_cast<std::ptrdiff_t>(first.size()));
  return both;
}

}  // namespace

// What the layers of one kind attend to: the same in every step of a round.
struct Drafter::Context {
  RopeTable rope;
  std::vector<std::size_t> keys;
  IntTensor<T, S> visible;
  KeyValues attended;
  std::size_t source = 0;
};

Drafter::Drafter(const Checkpoint& drafter, const Transformer& target)
    : target_(target), config_(drafter.config()), reader_(drafter, target.rounding()) {
  check_drafter_fits(config_, drafter.path().string(), target.config());
  if (config_.drafter->use_ordered_embeddings) {
    token_ordering_ = read_token_ordering(drafter);
  }
}

Drafter::Context Drafter::attended(const KvCache& cache, const LayerConfig& layer,
                                   std::int32_t position, DraftWindow window) const {
  Context context;
  context.source = drafter_source_layer(target_.config(), layer.kind);
  const bool sliding = layer.kind == LayerKind::kSliding;
  const std::size_t reach = config_.text.sliding_window;
  std::size_t seen = cache.length();
  if (sliding) {
    seen = std::min(seen, window == DraftWindow::kLastKeys ? reach + 1 : reach - 1);
  }
  const LayerCache& source = cache.layer(context.source);
  const std::size_t first = source.oldest();  // a ring may hold more than the window shows
  if (first + seen > cache.length()) {
    throw Error("drafter: got a cache that kept " + std::to_string(cache.length() - first) +
                " keys, expected at least " + std::to_string(seen));
  }
  context.attended = source.tokens(first, cache.length());
  context.visible = IntTensor<T, S>::from_shape({1, cache.length() - first});
  for (std::size_t s = first; s < cache.length(); ++s) {
    const bool visible = cache.places()[s].valid && s + seen >= cache.length();
    context.keys.push_back(s);
    context.visible(0, s - first) = visible ? 1 : 0;
  }
  context.rope = rope_table({position}, layer.head_dim,
                            sliding ? config_.text.rope_sliding : config_.text.rope_full,
                            target_.rounding().fp32_rope_angles);
  return context;
}

Tensor<T, D> Drafter::run_layers(Tensor<T, D> h, std::vector<Context>& contexts,
                                 const TapScope& tap) const {
  for (std::size_t j = 0; j < contexts.size(); ++j) {
    Context& context = contexts[j];
    const AttentionCall call{&context.rope, &context.visible,  &context.keys,
                             nullptr,       &context.attended, context.source};
    const auto weights = load_decoder_layer(reader_, config_.text, "layers.", j);
    h = decoder_layer(weights, config_.text, config_.text.layers[j], std::move(h), Tensor<T, P>{},
                      call, tap.under("layer." + std::to_string(j) + "."))
            .residual;
  }
  return h;
}

// only the tokens of the best centroids are scored; all others get the minimum less one.
Tensor<T, V> Drafter::ordered_logits(const Tensor<T, D>& m, const TapScope& tap) const {
  auto scores = linear(m, reader_.matrix("masked_embedding.centroids.weight"));  // [1, centroids]
  tap.whole("centroid_logits", scores);
  auto best = top_k(scores, config_.drafter->centroid_intermediate_top_k);
  tap.whole("centroid_index", best);

  const std::size_t vocabulary = config_.text.vocab_size;
  const std::size_t cluster = vocabulary / config_.drafter->num_centroids;
  IntTensor<T> candidates = IntTensor<T>::from_shape({best.size() * cluster});
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto centroid = static_cast<std::size_t>(best.data()[i / cluster]);
    candidates(i) = static_cast<std::int32_t>(token_ordering_[centroid * cluster + i % cluster]);
  }
  tap.whole("candidate_ids", candidates);

  const auto rows = embedding_rows(reader_, head_table(reader_),
                                   {candidates.begin(), candidates.end()});  // [candidates, h]
  const auto scored = linear(m, rows);                                       // [1, candidates]
  const Real fill = *std::min_element(scored.begin(), scored.end()) - Real(1);
  Tensor<T, V> logits({1, vocabulary}, fill);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    logits(0, static_cast<std::size_t>(candidates(i))) = scored(0, i);
  }
  return logits;
}

std::vector<std::int32_t> Drafter::draft(const KvCache& cache, std::int32_t token,
                                         std::int32_t position, Tensor<T, D> hidden,
                                         std::size_t steps, DraftWindow window, Taps& taps) const {
  std::vector<Context> contexts;
  for (const LayerConfig& layer : config_.text.layers) {
    contexts.push_back(attended(cache, layer, position, window));
  }
  std::vector<std::int32_t> drafted;
  for (std::size_t step = 0; step < steps; ++step) {
    const TapScope tap(taps, "mtp.step." + std::to_string(step) + ".");
    auto e = embedding_rows(target_.weights(), "embed_tokens.weight", {token});  // [1, B]
    e *= embedding_scale(target_.config().hidden_size, target_.rounding().bf16_scales);
    tap.whole("token_embed", e);
    tap.whole("hidden_in", hidden);
    auto c = concat(e, hidden);  // [1, 2B]
    tap.whole("concat", c);
    auto h = linear(c, reader_.matrix("pre_projection.weight"));  // [1, h]
    tap.whole("pre_proj", h);
    h = run_layers(std::move(h), contexts, tap);
    auto m = rms_norm(h, reader_.vector("norm.weight"), config_.text.rms_norm_eps);
    tap.whole("norm", m);
    hidden = linear(m, reader_.matrix("post_projection.weight"));  // [1, B]
    tap.whole("post_proj", hidden);
    auto logits = config_.drafter->use_ordered_embeddings
                      ? ordered_logits(m, tap)
                      : unembed(reader_, head_table(reader_), m);  // [1, V]
    tap.whole("logits", logits);
    IntTensor<T> choice = {greedy_token(row(logits, 0, logits.size()), {})};
    tap.whole("token", choice);
    token = choice(0);
    drafted.push_back(token);
  }
  return drafted;
}

}  // namespace assay::ASSAY_REFERENCE
