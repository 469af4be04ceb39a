// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/engine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "optimized/engine/cache_taps.h"
#include "optimized/engine/call_taps.h"
#include "optimized/engine/each_row.h"
#include "optimized/kernels/row_ops.h"
#include "reference/family/base/error.h"
#include "reference/family/base/number_formats.h"
#include "reference/family/checkpoint/input_rounding.h"

namespace assay::cpu {
namespace {

// Whether ggml rounds what it multiplies these weights with, other than in a format that rows have
// here. bf16 weights are left to the class bf16.
bool rounds_rows(const WeightView& weight) {
  const InputRounding rounding = input_rounding(weight.stored);
  const bool packed = weight.layout == WeightLayout::kQ8 || weight.layout == WeightLayout::kQ4 ||
                      weight.layout == WeightLayout::kK;
  return !packed && rounding != InputRounding::kNone && rounding != InputRounding::kBf16;
}

}  // namespace

Engine::Engine(const Model& model, const Options& options, const Threads& threads)
    : model_(model), options_(options), threads_(threads) {}

void Engine::pack(const Rows& x, const WeightView& weight, RowPanels& panels) {
  Rows from = x;
  if (options_.arithmetic == Arithmetic::kInt8 && rounds_rows(weight)) {
    from = rounded_.shape(x.rows, x.columns);
    each_row(threads_, x.rows, [&](std::size_t t) {
      std::copy_n(x.row(t), x.columns, from.row(t));
      round_input(input_rounding(weight.stored), HalfWay::kEven, from.row(t), x.columns);
    });
  }
  panels.pack({from.data, from.stride, from.rows, from.columns},
              row_format(weight.layout, options_.arithmetic, x.rows), threads_);
}

// What ggml's products lose where a block's minimum multiplies a rounded sum (Q4_1, Q5_1).
void Engine::add_rounded_sums(const Rows& x, const WeightView& weight, const Rows& y) const {
  const auto minimum = rounded_minimum(weight.stored);
  if (options_.arithmetic != Arithmetic::kInt8 || !minimum) {
    return;
  }
  const std::size_t bytes = weight.stored.info().block_bytes;
  const std::size_t blocks = x.columns / kBlock;
  each_row(threads_, x.rows, [&](std::size_t t) {
    std::vector<float> errors(blocks);
    block_sum_errors(HalfWay::kEven, x.row(t), x.columns, errors.data());
    for (std::size_t n = 0; n < weight.rows; ++n) {
      const std::byte* const row = weight.data + n * (weight.tile / kTileRows);
      for (std::size_t b = 0; b < blocks; ++b) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, row + b * bytes + *minimum, sizeof bits);
        y.row(t)[n] += float_from_f16(bits) * errors[b];
      }
    }
  });
}

void Engine::multiply_counted(const std::vector<Product>& list) {
  multiply(list, threads_);
  for (const Product& product : list) {
    const WeightView& w = *product.weight;
    const double operations = 2.0 * static_cast<double>(w.rows) * static_cast<double>(w.columns) *
                              static_cast<double>(product.x->rows);
    work_.bytes += static_cast<double>(w.bytes());
    switch (product.x->format) {
      case RowFormat::kBf16:
        work_.bf16_dot += operations;
        break;
      case RowFormat::kInt8:
      case RowFormat::kInt8K:
      case RowFormat::kInt8Digits:
        work_.int8_dot += operations * static_cast<double>(digits_of(product.x->format));
        break;
      case RowFormat::kF32:
      case RowFormat::kF32RoundedToBf16:
      case RowFormat::kF32RoundedToInt8K:
        work_.fma += operations;
        break;
    }
  }
}

EngineWork Engine::take_work() {
  return std::exchange(work_, {});
}

void Engine::products(const Rows& x, std::span<const Output> outputs) {
  panels_.resize(std::max(panels_.size(), outputs.size()));
  std::vector<Product> list;
  for (const Output& output : outputs) {
    if (output.weight->empty()) {
      continue;
    }
    const auto alike = [&](const Product& before) {
      return before.weight->layout == output.weight->layout &&
             before.weight->stored == output.weight->stored;
    };
    const auto packed = std::ranges::find_if(list, alike);
    const RowPanels* panels = packed == list.end() ? &panels_[list.size()] : packed->x;
    if (packed == list.end()) {
      pack(x, *output.weight, panels_[list.size()]);
    }
    list.push_back({output.weight, panels, output.y.data, output.y.stride});
  }
  multiply_counted(list);
  for (const Output& output : outputs) {
    if (!output.weight->empty()) {
      add_rounded_sums(x, *output.weight, output.y);
    }
  }
}

void Engine::norm(const Rows& x, const Vector& scale, const Rows& y) const {
  each_row(threads_, x.rows, [&](std::size_t t) {
    rms_norm(x.row(t), scale.data(), model_.config().rms_norm_eps, x.columns, y.row(t));
  });
}

Rows Engine::embed(const Tokens& tokens, const TapScope& tap) {
  const TextConfig& config = model_.config();
  const std::size_t width = config.hidden_size;
  check_soft(tokens, width);
  const auto ids = lookup_ids(tokens, config);
  tap.integers("ids", ids);
  const Rows h = h_.shape(tokens.count(), width);
  each_row(threads_, h.rows, [&](std::size_t t) { model_.token_row(ids[t], h.row(t)); });
  tap("embed_rows", h);
  const float scale = std::sqrt(static_cast<float>(width));
  each_row(threads_, h.rows, [&](std::size_t t) { scale_by(h.row(t), scale, width); });
  tap("embed_scaled", h);
  for (std::size_t t = 0; t < h.rows; ++t) {
    if (tokens.types[t] != TokenType::kText) {  // replaced, not scaled
      std::copy_n(tokens.soft.data() + t * width, width, h.row(t));
    }
  }
  tap("embed", h);
  return h;
}

void Engine::per_layer_inputs(const Tokens& tokens, const Rows& h0, const TapScope& tap) {
  const TextConfig& config = model_.config();
  const std::size_t layers = config.num_hidden_layers();
  const std::size_t width = config.hidden_size_per_layer_input;
  const std::vector<std::size_t> shape = {h0.rows, layers, width};
  const auto ids = lookup_ids(tokens, config);
  tap.integers("ple.ids", ids);
  const Rows token = per_layer_token_.shape(h0.rows, layers * width);
  const float root = std::sqrt(static_cast<float>(width));
  each_row(threads_, h0.rows, [&](std::size_t t) {
    model_.per_layer_row(ids[t], token.row(t));
    scale_by(token.row(t), root, token.columns);
  });
  tap("ple.token", token, shape);
  const Rows in = per_layer_.shape(h0.rows, layers * width);
  products(h0, {{&model_.per_layer_model_projection, in}});
  tap("ple.proj", in, shape);
  const float inverse = 1.0F / std::sqrt(static_cast<float>(config.hidden_size));
  each_row(threads_, h0.rows, [&](std::size_t t) {
    scale_by(in.row(t), inverse, in.columns);
    for (std::size_t l = 0; l < layers; ++l) {
      float* const one = in.row(t) + l * width;
      rms_norm(one, model_.per_layer_projection_norm.data(), config.rms_norm_eps, width, one);
    }
  });
  tap("ple.ctx", in, shape);
  each_row(threads_, h0.rows, [&](std::size_t t) {
    add_to(in.row(t), token.row(t), in.columns);
    scale_by(in.row(t), std::sqrt(0.5F), in.columns);
  });
  tap("ple.in", in, shape);
}

void Engine::run_layers(Rows& h, const Call& call, const KvCache& cache, std::size_t rows,
                        const TapScope& tap) {
  const TextConfig& config = model_.config();
  for (std::size_t i = 0; i < config.num_hidden_layers(); ++i) {
    if (i == config.first_kv_shared_layer() && options_.skip_shared && !tap.listening() &&
        rows < h.rows) {
      h = h.from(h.rows - rows, rows);
      if (rows == 0) {
        return;
      }
    }
    decoder_layer(i, h, call, cache, tap.under("layer." + std::to_string(i) + "."));
  }
}

ForwardResult Engine::unembed(const Rows& h, const TapScope& tap) {
  const TextConfig& config = model_.config();
  ForwardResult result;
  result.final_norm = norm_.shape(h.rows, config.hidden_size);
  norm(h, model_.norm, result.final_norm);
  tap("final_norm", result.final_norm);
  result.logits = logits_.shape(h.rows, config.vocab_size);
  products(result.final_norm, {{&model_.head, result.logits}});
  tap("logits_raw", result.logits);
  if (config.final_logit_softcapping) {
    for (std::size_t t = 0; t < h.rows; ++t) {
      threads_.split(config.vocab_size, 1024, [&](std::size_t first, std::size_t end) {
        softcap(result.logits.row(t) + first, end - first, *config.final_logit_softcapping);
      });
    }
  }
  tap("logits", result.logits);
  return result;
}

ForwardResult Engine::forward(const Tokens& tokens, KvCache& cache, std::size_t rows, Taps* taps) {
  const TapScope tap(taps, "text.");
  const TextConfig& config = model_.config();
  const auto places = places_of(tokens, config, cache);
  Rows h = embed(tokens, tap);
  if (config.hidden_size_per_layer_input > 0) {
    per_layer_inputs(tokens, h, tap);
  }
  cache.append(places);
  std::vector<std::int32_t> blocks;
  for (const TokenPlace& place : places) {
    blocks.push_back(place.block);
  }
  Call call = begin_call(config, cache, blocks, options_.vision_mask);
  emit_call(tap, tokens, call);
  rows = taps != nullptr ? h.rows : std::min(rows, h.rows);
  run_layers(h, call, cache, rows, tap);
  if (rows == 0) {
    return {};
  }
  emit_caches(tap, config, cache);
  return unembed(h.from(h.rows - rows, rows), tap);
}

std::size_t Engine::scratch_bytes() const {
  std::size_t bytes = 0;
  for (const RowBuffer* each : {&rounded_, &h_, &norm_, &q_, &k_, &v_, &mix_, &out_, &gate_, &up_,
                                &dense_, &logits_, &per_layer_, &per_layer_token_, &router_,
                                &expert_in_, &expert_gate_, &expert_out_, &moe_}) {
    bytes += each->bytes();
  }
  return bytes;
}

}  // namespace assay::cpu
