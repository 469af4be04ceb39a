// SPDX-License-Identifier: Apache-2.0
// The text model on a CPU: the reference's arithmetic in f32, or with rounded inputs of products.
//
//   h0     = embed_tokens[ids] * sqrt(D), placeholder rows replaced by soft-token embeddings
//   h      = decoder_layer_{L-1}( ... decoder_layer_0(h0) )
//   logits = 30 tanh( (head rms_norm(h, norm)) / 30 )
//
// Layers that share keys and values write none, so a prompt needs them for the rows alone whose
// logits are asked for: the others stop before them (Options::skip_shared). Everything else is
// computed as reference/model/transformer.h says; scores and probabilities of attention are never
// whole and cannot be shown.  Spec.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

#include "optimized/engine/call.h"
#include "optimized/engine/kv_cache.h"
#include "optimized/engine/model.h"
#include "optimized/engine/row_buffer.h"
#include "optimized/engine/taps.h"
#include "optimized/kernels/matmul.h"

namespace assay::cpu {

struct Options {
  Arithmetic arithmetic = Arithmetic::kF32;
  CacheType cache = CacheType::kF32;
  bool skip_shared = true;
  VisionMask vision_mask = VisionMask::kSlidingClamped;
};

// What products and attention did: operations by the instruction that they are made of, a
// multiply-add counts two, and the bytes of weights and caches that they read.
struct EngineWork {
  double fma = 0;
  double bf16_dot = 0;
  double int8_dot = 0;
  double bytes = 0;
};

// Rows of the engine's own memory, valid until its next call.
struct ForwardResult {
  Rows final_norm;
  Rows logits;
};

class Engine {
 public:
  // Keeps references to both.
  Engine(const Model& model, const Options& options, const Threads& threads);

  const Model& model() const { return model_; }
  const Options& options() const { return options_; }
  KvCache new_cache(std::size_t context, std::size_t call) const {
    return {model_.config(), options_.cache, context, call};
  }

  // Appends the tokens and returns the last `rows` of them. Throws Error on ids outside the
  // vocabulary and on tokens that do not fit the cache.
  ForwardResult forward(const Tokens& tokens, KvCache& cache, std::size_t rows,
                        Taps* taps = nullptr);

  // Since the last call.
  EngineWork take_work();

  // Bytes of everything but weights and caches, so far.
  std::size_t scratch_bytes() const;

 private:
  friend class Drafter;  // runs its layers
  struct Output {
    const WeightView* weight = nullptr;
    Rows y;
  };
  // y = weight x for each output: x is packed once for each format that they need.
  void products(const Rows& x, std::span<const Output> outputs);
  void products(const Rows& x, std::initializer_list<Output> outputs) {
    products(x, std::span(outputs.begin(), outputs.size()));
  }
  // Packs x for a weight, rounded as the class says.
  void pack(const Rows& x, const WeightView& weight, RowPanels& panels);
  void multiply_counted(const std::vector<Product>& list);
  void add_rounded_sums(const Rows& x, const WeightView& weight, const Rows& y) const;
  void norm(const Rows& x, const Vector& scale, const Rows& y) const;
  void norm_heads(const Rows& x, std::size_t head_dim, const Vector* scale) const;

  Rows embed(const Tokens& tokens, const TapScope& tap);
  void per_layer_inputs(const Tokens& tokens, const Rows& h0, const TapScope& tap);
  void run_layers(Rows& h, const Call& call, const KvCache& cache, std::size_t rows,
                  const TapScope& tap);
  void decoder_layer(std::size_t i, const Rows& h, const Call& call, const KvCache& cache,
                     const TapScope& tap);
  void own_keys(std::size_t i, const Rows& k, const Rows& v, const Call& call, const KvCache& cache,
                const TapScope& tap);
  void count_keys(const KindOfCall& kind, std::size_t first_token,
                  const std::vector<HeadCache>& caches);
  Rows self_attention(std::size_t i, const Rows& n, const Call& call, const KvCache& cache,
                      const TapScope& tap);
  Rows mlp(const FeedForwardWeights& w, const Rows& x, const TapScope& tap);
  Rows feed_forward(std::size_t i, const Rows& h, const TapScope& tap);
  struct Routing;
  Routing route(const MoeWeights& w, const Rows& h, const TapScope& tap);
  void expert_products(const std::vector<WeightView>& weights, const Routing& routing,
                       const Rows& x, const Rows& y);
  Rows moe(const MoeWeights& w, const Rows& h, const TapScope& tap);
  void per_layer_block(std::size_t i, const Rows& h, std::size_t first_token, const TapScope& tap);
  ForwardResult unembed(const Rows& h, const TapScope& tap);

  const Model& model_;
  Options options_;
  const Threads& threads_;
  EngineWork work_;
  std::vector<RowPanels> panels_;  // of the products of one call
  std::vector<RowPanels> expert_panels_;
  RowBuffer rounded_, h_, norm_, q_, k_, v_, mix_, out_, gate_, up_, dense_, logits_;
  RowBuffer per_layer_, per_layer_token_, router_, expert_in_, expert_gate_, expert_out_, moe_;
};

}  // namespace assay::cpu
