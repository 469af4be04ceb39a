// SPDX-License-Identifier: Apache-2.0
#include "reference/model/transformer.h"

#include <algorithm>
#include <map>

#include "reference/blocks/decoder_layer.h"
#include "reference/blocks/embedder.h"
#include "reference/blocks/per_layer_input.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/softcap.h"

namespace assay::ASSAY_REFERENCE {
namespace {

bool is_vision(TokenType type) {
  return type == TokenType::kImage || type == TokenType::kVideo;
}

// Places of the tokens of a call that starts after `before` tokens.
std::vector<TokenPlace> places_of(const TokenChunk& chunk, std::size_t before, bool vision_blocks) {
  std::vector<TokenPlace> places(chunk.ids.size());
  std::int32_t block = -1;
  for (std::size_t t = 0; t < places.size(); ++t) {
    const bool vision = vision_blocks && is_vision(chunk.types[t]);
    const bool run_goes_on = t > 0 && is_vision(chunk.types[t - 1]);
    block += vision && !run_goes_on ? 1 : 0;
    places[t] = {before + t, chunk.positions[t], chunk.valid[t], vision ? block : -1};
  }
  return places;
}

// The keys a layer kind sees: what the cache still shows, then the call's own tokens.
std::vector<TokenPlace> visible_keys(const KvCache& cache, LayerKind kind,
                                     const std::vector<TokenPlace>& fresh) {
  const auto first = static_cast<std::ptrdiff_t>(cache.first_visible(kind));
  std::vector<TokenPlace> keys(cache.places().begin() + first, cache.places().end());
  keys.insert(keys.end(), fresh.begin(), fresh.end());
  return keys;
}

std::vector<std::size_t> indices_of(const std::vector<TokenPlace>& places) {
  std::vector<std::size_t> indices;
  indices.reserve(places.size());
  for (const TokenPlace& place : places) {
    indices.push_back(place.index);
  }
  return indices;
}

void check_chunk(const TokenChunk& chunk, const TextConfig& config, const KvCache& cache) {
  const std::size_t count = chunk.ids.size();
  if (count == 0 || chunk.types.size() != count || chunk.positions.size() != count ||
      chunk.valid.size() != count) {
    throw Error("forward: got " + std::to_string(count) +
                " ids, expected at least one, and a type, position and validity for each");
  }
  if (config.vision_blocks && cache.ends_in_block() && is_vision(chunk.types.front())) {
    throw Error("forward: got a chunk that starts inside a vision block, expected the block whole");
  }
  if (std::any_of(chunk.types.begin(), chunk.types.end(),
                  [](TokenType type) { return type != TokenType::kText; })) {
    check_shape(chunk.soft, {count, config.hidden_size}, "forward: soft-token embeddings");
  }
}

IntTensor<T> as_tensor(const std::vector<std::int32_t>& values) {
  IntTensor<T> tensor = IntTensor<T>::from_shape({values.size()});
  std::copy(values.begin(), values.end(), tensor.begin());
  return tensor;
}

// What a layer remembers after the call, oldest token first.
void emit_cache(const LayerCache& cache, const std::vector<TokenPlace>& places,
                const TapScope& tap) {
  if (!tap.wants("k") && !tap.wants("v") && !tap.wants("pos")) {
    return;
  }
  auto kept = cache.tokens(cache.oldest(), cache.end());
  tap.whole("k", kept.k);
  tap.whole("v", kept.v);
  IntTensor<S> positions = IntTensor<S>::from_shape({cache.end() - cache.oldest()});
  for (std::size_t s = 0; s < positions.size(); ++s) {
    positions(s) = places[cache.oldest() + s].position;
  }
  tap.whole("pos", positions);
}

// placeholders look up the pad row.
std::vector<std::int32_t> lookup_ids(const TokenChunk& chunk, std::int32_t pad) {
  std::vector<std::int32_t> ids = chunk.ids;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    ids[t] = chunk.types[t] == TokenType::kText ? ids[t] : pad;
  }
  return ids;
}

}  // namespace

// What all layers of one kind share during one call.
struct Transformer::Call {
  struct OfKind {
    RopeTable rope;
    std::vector<std::size_t> keys;
    IntTensor<T, S> visible;
  };
  std::vector<TokenPlace> places;
  std::map<LayerKind, OfKind> of_kind;
  std::map<std::size_t, KeyValues> attended;  // by source layer, for the layers that share it
};

Transformer::Transformer(const Checkpoint& checkpoint, Rounding rounding, VisionMask vision_mask)
    : config_(checkpoint.config().text),
      reader_(checkpoint, rounding),
      rounding_(rounding),
      vision_mask_(vision_mask) {}

Tensor<T, D> Transformer::embed(const TokenChunk& chunk, const TapScope& tap) const {
  auto ids = as_tensor(lookup_ids(chunk, config_.special.pad));
  tap("ids", ids);
  auto h = embedding_rows(reader_, "embed_tokens.weight", {ids.begin(), ids.end()});  // [T, D]
  tap("embed_rows", h);
  h *= embedding_scale(config_.hidden_size, rounding_.bf16_scales);
  tap("embed_scaled", h);
  for (std::size_t t = 0; t < chunk.ids.size(); ++t) {
    if (chunk.types[t] != TokenType::kText) {  // replaced, not scaled
      const auto soft = row(chunk.soft, t, config_.hidden_size);
      std::copy(soft.begin(), soft.end(), row(h, t, config_.hidden_size).begin());
    }
  }
  tap("embed", h);
  return h;
}

Transformer::Call Transformer::begin_call(const TokenChunk& chunk, const KvCache& cache,
                                          const TapScope& tap) const {
  Call call;
  call.places = places_of(chunk, cache.length(), config_.vision_blocks);
  auto position_tap = as_tensor(chunk.positions);
  tap("positions", position_tap);
  const std::vector<std::int32_t> positions(position_tap.begin(), position_tap.end());
  for (const LayerConfig& layer : config_.layers) {
    if (call.of_kind.count(layer.kind) != 0) {
      continue;
    }
    const bool sliding = layer.kind == LayerKind::kSliding;
    const std::string name = sliding ? "local" : "global";
    const auto keys = visible_keys(cache, layer.kind, call.places);
    auto& kind = call.of_kind[layer.kind];
    kind.rope =
        rope_table(positions, layer.head_dim, sliding ? config_.rope_sliding : config_.rope_full,
                   rounding_.fp32_rope_angles);
    tap(("rope." + name + ".cos").c_str(), kind.rope.cos);
    tap(("rope." + name + ".sin").c_str(), kind.rope.sin);
    kind.keys = indices_of(keys);
    kind.visible = sliding ? sliding_mask(call.places, keys, config_.sliding_window, vision_mask_)
                           : full_mask(call.places, keys, vision_mask_);
    tap.at(("mask." + name).c_str(), TapAxes::kRowsByKeys, kind.keys, kind.visible);
  }
  return call;
}

Tensor<T, D> Transformer::run_layers(Tensor<T, D> h, const Tensor<T, L, P>& per_layer, Call& call,
                                     KvCache& cache, const TapScope& tap) const {
  for (std::size_t i = 0; i < config_.num_hidden_layers(); ++i) {
    const LayerConfig& layer = config_.layers[i];
    const auto& kind = call.of_kind.at(layer.kind);
    const bool shares = config_.shares_kv(i);
    const AttentionCall attention{&kind.rope,
                                  &kind.visible,
                                  &kind.keys,
                                  shares ? nullptr : &cache.layer(i),
                                  shares ? &call.attended.at(layer.kv_source) : nullptr,
                                  layer.kv_source};
    const auto weights = load_decoder_layer(reader_, config_, "layers.", i);
    const auto input = weights.per_layer_input ? per_layer_slice(per_layer, i) : Tensor<T, P>{};
    auto done = decoder_layer(weights, config_, layer, std::move(h), input, attention,
                              tap.under("layer." + std::to_string(i) + "."));
    h = std::move(done.residual);  // [T, D]
    if (!shares) {
      call.attended[i] = std::move(done.attended);
    }
  }
  return h;
}

ForwardResult Transformer::unembed_rows(const Tensor<T, D>& h, const TapScope& tap) const {
  ForwardResult result;
  result.final_norm = rms_norm(h, reader_.vector("norm.weight"), config_.rms_norm_eps);  // [T, D]
  tap("final_norm", result.final_norm);
  result.logits = unembed(reader_, head_table(reader_), result.final_norm);  // [T, V]
  tap("logits_raw", result.logits);
  if (config_.final_logit_softcapping) {
    result.logits = softcap(result.logits, *config_.final_logit_softcapping);
  }
  tap("logits", result.logits);
  return result;
}

ForwardResult Transformer::forward(const TokenChunk& chunk, KvCache& cache, Taps& taps) const {
  check_chunk(chunk, config_, cache);
  const TapScope tap(taps, "text.");
  auto h = embed(chunk, tap);  // [T, D]
  Tensor<T, L, P> per_layer;
  if (config_.hidden_size_per_layer_input > 0) {
    per_layer = per_layer_inputs(reader_, config_, lookup_ids(chunk, config_.special.pad), h,
                                 rounding_.bf16_scales, tap);  // [T, L, P]
  }
  Call call = begin_call(chunk, cache, tap);
  h = run_layers(std::move(h), per_layer, call, cache, tap);  // [T, D]
  cache.append_places(call.places);
  for (std::size_t i = 0; i < config_.first_kv_shared_layer(); ++i) {
    emit_cache(cache.layer(i), cache.places(), tap.under("layer." + std::to_string(i) + ".cache."));
  }
  return unembed_rows(h, tap);
}

}  // namespace assay::ASSAY_REFERENCE
