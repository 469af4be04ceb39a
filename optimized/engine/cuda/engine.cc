// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/engine.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "optimized/engine/call_taps.h"
#include "optimized/engine/cuda/cache_taps.h"
#include "optimized/kernels/row_ops_cuda.h"

namespace assay::cuda {
namespace {

// Bytes that a plain call of so many tokens uploads, and some room for masks.
std::size_t input_bytes(const TextConfig& config, std::size_t tokens, std::size_t context) {
  std::size_t angles = 0;
  for (const LayerConfig& layer : config.layers) {
    angles = std::max(angles, layer.head_dim);
  }
  const std::size_t layers = config.layers.size() * config.hidden_size_per_layer_input;
  const std::size_t token = 2 * angles + 2 * 3 + 2 + layers + config.hidden_size;  // words
  constexpr std::size_t kArrays = 16;
  return kArrays * 256 + tokens * (4 * token + 2 * (context + tokens));
}

}  // namespace

Engine::Engine(const Model& model, const Options& options, Stream& stream)
    : model_(model),
      options_(options),
      stream_(stream),
      kernels_(options.kernels ? *options.kernels : kernels_of(device_facts())),
      shown_(stream) {}

KvCache Engine::new_cache(std::size_t context, std::size_t call) {
  reserve(std::min(call, context), 1, context);
  return {model_.config(), options_.cache, context, call};
}

bool Engine::reserve(std::size_t tokens, std::size_t rows, std::size_t context) {
  const std::size_t inputs = input_bytes(model_.config(), tokens, context);
  bool moves = inputs > inputs_.bytes();
  if (scratch_.reserve(model_.config(), tokens, rows, context)) {
    moves = true;
  }
  if (moves) {
    step_.reset();
  }
  inputs_.reserve(inputs);
  return moves;
}

DeviceCall Engine::put_call(const cpu::Tokens& tokens, const cpu::Call& call,
                            const KvCache& cache) {
  const TextConfig& config = model_.config();
  const std::size_t end = call.start + call.tokens;
  const std::size_t width = config.layers.size() * config.hidden_size_per_layer_input;
  const auto ids = cpu::lookup_ids(tokens, config);
  inputs_.begin();
  DeviceCall on_device;
  on_device.start = call.start;
  on_device.tokens = call.tokens;
  on_device.start_on_device = inputs_.put(std::vector<int>{static_cast<int>(call.start)});
  on_device.ids = inputs_.put(ids);
  if (width > 0) {
    std::vector<float> rows(ids.size() * width);
    for (std::size_t t = 0; t < ids.size(); ++t) {
      model_.per_layer_row(ids[t], rows.data() + t * width);
    }
    on_device.per_layer_token = inputs_.put(rows);
  }
  const std::size_t window = std::min(config.sliding_window, cache.context());
  on_device.sliding = put_kind(inputs_, call.sliding, end, Scratch::pieces(window));
  on_device.full = put_kind(inputs_, call.full, end, Scratch::pieces(cache.context()));
  const auto is_soft = [](cpu::TokenType type) { return type != cpu::TokenType::kText; };
  if (std::ranges::any_of(tokens.types, is_soft)) {
    std::vector<int> flags;
    std::ranges::transform(tokens.types, std::back_inserter(flags),
                           [&](cpu::TokenType type) { return is_soft(type) ? 1 : 0; });
    on_device.is_soft = inputs_.put(flags);
    on_device.soft = inputs_.put(tokens.soft);
  }
  on_device.is_plain = on_device.is_soft == nullptr && on_device.sliding.masks == nullptr &&
                       on_device.full.masks == nullptr;
  return on_device;
}

void Engine::embed_tokens(const DeviceCall& call, const DeviceRows& h, const cpu::TapScope& tap) {
  Embedding embedding;
  embedding.table = model_.table;
  embedding.ids = call.ids;
  embedding.is_soft = call.is_soft;
  embedding.soft = call.soft;
  embedding.scale = std::sqrt(static_cast<float>(h.columns));
  embedding.row_out = shown_.room(tap, "embed_rows", 0, h);
  embedding.scaled_out = shown_.room(tap, "embed_scaled", 1, h);
  embed(stream_, embedding, h);
  const auto rows = static_cast<std::size_t>(h.rows);
  const auto columns = static_cast<std::size_t>(h.columns);
  shown_(tap, "embed_rows", device_rows(embedding.row_out, rows, columns));
  shown_(tap, "embed_scaled", device_rows(embedding.scaled_out, rows, columns));
  shown_(tap, "embed", h);
}

void Engine::per_layer_rows(const DeviceCall& call, const DeviceRows& h, const cpu::TapScope& tap) {
  const TextConfig& config = model_.config();
  const std::size_t layers = config.num_hidden_layers();
  const std::size_t width = config.hidden_size_per_layer_input;
  const std::vector<std::size_t> shape = {call.tokens, layers, width};
  const DeviceRows in = scratch_.rows(scratch_.per_layer, call.tokens, layers * width);
  shown_.integers(tap, "ple.ids", call.ids, call.tokens);
  product(model_.per_layer_model_projection, h, in);
  shown_(tap, "ple.proj", in, shape);
  PerLayerInputs inputs;
  inputs.in = in;
  inputs.token = in;
  // NOLINTNEXTLINE: rows that are only read
  inputs.token.data = const_cast<float*>(call.per_layer_token);
  inputs.scale = model_.per_layer_projection_norm;
  inputs.width = static_cast<int>(width);
  inputs.inverse = 1.0F / std::sqrt(static_cast<float>(config.hidden_size));
  inputs.root = std::sqrt(static_cast<float>(width));
  inputs.token_out = shown_.room(tap, "ple.token", 0, in);
  inputs.context_out = shown_.room(tap, "ple.ctx", 1, in);
  per_layer_inputs(stream_, inputs, model_.eps());
  shown_(tap, "ple.token", device_rows(inputs.token_out, call.tokens, layers * width), shape);
  shown_(tap, "ple.ctx", device_rows(inputs.context_out, call.tokens, layers * width), shape);
  shown_(tap, "ple.in", in, shape);
}

ForwardResult Engine::unembed(const DeviceRows& h, const cpu::TapScope& tap) {
  const TextConfig& config = model_.config();
  const auto rows = static_cast<std::size_t>(h.rows);
  ForwardResult result;
  result.final_norm = scratch_.rows(scratch_.final_norm, rows, config.hidden_size);
  rms_norm(stream_, h, model_.norm, model_.eps(), result.final_norm);
  shown_(tap, "final_norm", result.final_norm);
  result.logits = scratch_.rows(scratch_.logits, rows, config.vocab_size);
  product(model_.head, result.final_norm, result.logits);
  shown_(tap, "logits_raw", result.logits);
  if (config.final_logit_softcapping) {
    softcap(stream_, result.logits, static_cast<float>(*config.final_logit_softcapping));
  }
  shown_(tap, "logits", result.logits);
  return result;
}

ForwardResult Engine::compute(const DeviceCall& call, const KvCache& cache, std::size_t rows,
                              const cpu::TapScope& tap) {
  const TextConfig& config = model_.config();
  Run run{scratch_.rows(scratch_.h, call.tokens, config.hidden_size),
          scratch_.rows(scratch_.norm, call.tokens, config.hidden_size), 0, call, cache};
  embed_tokens(call, run.h, tap);
  if (config.hidden_size_per_layer_input > 0) {
    per_layer_rows(call, run.h, tap);
  }
  rms_norm(stream_, run.h, model_.layers.front().input_layernorm, model_.eps(), run.n);
  for (std::size_t i = 0; i < config.num_hidden_layers(); ++i) {
    const auto left = static_cast<std::size_t>(run.h.rows);
    if (i == config.first_kv_shared_layer() && options_.skip_shared && !tap.listening() &&
        rows < left) {
      if (rows == 0) {
        return {};
      }
      run.first_token = left - rows;
      run.h = run.h.from(static_cast<int>(left - rows), static_cast<int>(rows));
      run.n = run.n.from(static_cast<int>(left - rows), static_cast<int>(rows));
    }
    decoder_layer(i, run, tap.under("layer." + std::to_string(i) + "."));
  }
  if (rows == 0) {
    return {};
  }
  emit_caches(tap, config, cache, stream_, shown_);
  const int count = static_cast<int>(rows);
  return unembed(run.h.from(run.h.rows - count, count), tap);
}

ForwardResult Engine::forward(const cpu::Tokens& tokens, KvCache& cache, std::size_t rows,
                              cpu::Taps* taps) {
  const cpu::TapScope tap(taps, "text.");
  const TextConfig& config = model_.config();
  const auto places = cpu::places_of(tokens, config, cache);
  cpu::check_soft(tokens, config.hidden_size);
  const auto ids = cpu::lookup_ids(tokens, config);
  cache.append(places);
  std::vector<std::int32_t> blocks;
  std::ranges::transform(places, std::back_inserter(blocks), &cpu::TokenPlace::block);
  cpu::Call call = cpu::begin_call(config, cache, blocks, options_.vision_mask);
  rows = taps != nullptr ? call.tokens : std::min(rows, call.tokens);
  reserve(cache.call(), rows, cache.context());
  const DeviceCall on_device = put_call(tokens, call, cache);
  inputs_.upload(stream_);
  tap.integers("ids", ids);
  cpu::emit_call(tap, tokens, call);
  if (taps != nullptr || call.tokens > 1 || !on_device.is_plain) {
    return compute(on_device, cache, rows, tap);
  }
  if (!step_ || step_->cache != cache.id() || step_->rows != rows) {
    ForwardResult result;
    Graph graph = stream_.record([&] { result = compute(on_device, cache, rows, tap); });
    step_.emplace(Step{cache.id(), rows, std::move(graph), result});
  }
  stream_.run(step_->graph);
  return step_->result;
}

}  // namespace assay::cuda
