// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/cuda/scratch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {
namespace {

constexpr std::size_t kAlign = 256;

// Arrays one after another: first all are named, then they get their places.
class Plan {
 public:
  template <class Value>
  void add(Value*& to, std::size_t count) {
    places_.emplace_back(reinterpret_cast<void**>(&to), bytes_);
    bytes_ += (count * sizeof(Value) + kAlign - 1) / kAlign * kAlign;
  }
  Memory take() const {
    Memory memory(bytes_);
    for (const auto& [to, at] : places_) {
      *to = static_cast<std::byte*>(memory.data()) + at;
    }
    return memory;
  }

 private:
  std::vector<std::pair<void**, std::size_t>> places_;
  std::size_t bytes_ = 0;
};

struct Widths {
  std::size_t queries = 0, keys = 0, inner = 0, parts = 0;
};

Widths widths_of(const TextConfig& config, int pieces) {
  Widths widths;
  for (const LayerConfig& layer : config.layers) {
    widths.queries = std::max(widths.queries, config.num_attention_heads * layer.head_dim);
    widths.keys = std::max(widths.keys, layer.num_key_value_heads * layer.head_dim);
    widths.inner = std::max(widths.inner, layer.intermediate_size);
    widths.parts =
        std::max(widths.parts, attention_parts(1, static_cast<int>(config.num_attention_heads),
                                               static_cast<int>(layer.head_dim), pieces));
  }
  widths.inner = std::max(widths.inner, config.hidden_size_per_layer_input);
  return widths;
}

// Of the rows of any product of a call: each is padded to 8, and a choice of an expert is a row.
std::size_t rounded_numbers(const TextConfig& config, const Widths& widths, std::size_t tokens) {
  constexpr std::size_t kPadding = 8;
  const std::size_t width = config.hidden_size;
  std::size_t numbers = tokens * (std::max({width, widths.queries, widths.inner}) + kPadding);
  if (config.moe) {
    const std::size_t choice = std::max(width, config.moe->moe_intermediate_size) + kPadding;
    numbers = std::max(numbers, tokens * config.moe->top_k_experts * choice);
  }
  return numbers;
}

}  // namespace

int Scratch::pieces(std::size_t keys) {
  return std::max(1, static_cast<int>((keys + kPieceKeys - 1) / kPieceKeys));
}

bool Scratch::reserve(const TextConfig& config, std::size_t tokens, std::size_t rows,
                      std::size_t context) {
  if (tokens <= tokens_ && rows <= rows_ && context <= context_) {
    return false;
  }
  tokens_ = std::max(tokens, tokens_);
  rows_ = std::max(rows, rows_);
  context_ = std::max(context, context_);
  const std::size_t width = config.hidden_size;
  const Widths widths = widths_of(config, pieces(context_));
  Plan plan;
  for (float** each : {&h, &norm, &out, &dense, &final_norm}) {
    plan.add(*each, tokens_ * width);
  }
  plan.add(q, tokens_ * widths.queries);
  plan.add(mix, tokens_ * widths.queries);
  plan.add(k, tokens_ * widths.keys);
  plan.add(v, tokens_ * widths.keys);
  plan.add(gate, tokens_ * widths.inner);
  plan.add(up, tokens_ * widths.inner);
  plan.add(logits, rows_ * config.vocab_size);
  plan.add(parts, widths.parts);
  plan.add(token, 1);
  plan.add(rounded, rounded_numbers(config, widths, tokens_));
  if (config.hidden_size_per_layer_input > 0) {
    plan.add(per_layer, tokens_ * config.layers.size() * config.hidden_size_per_layer_input);
  }
  if (config.moe) {
    const std::size_t choices = tokens_ * config.moe->top_k_experts;
    plan.add(router_in, tokens_ * width);
    plan.add(expert_in, tokens_ * width);
    plan.add(probs, tokens_ * config.moe->num_experts);
    plan.add(weight, choices);
    plan.add(expert_gate, choices * 2 * config.moe->moe_intermediate_size);
    plan.add(expert_out, choices * width);
    plan.add(expert, choices);
    plan.add(first, config.moe->num_experts + 1);
    plan.add(sorted, choices);
    plan.add(row_of, choices);
  }
  memory_ = plan.take();
  return true;
}

}  // namespace assay::cuda
