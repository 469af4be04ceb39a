// SPDX-License-Identifier: Apache-2.0
// The text model on a CUDA device: the reference's arithmetic in f32, or with rounded inputs of
// products.
//
//   h0     = embed_tokens[ids] * sqrt(D), placeholder rows replaced by soft-token embeddings
//   h      = decoder_layer_{L-1}( ... decoder_layer_0(h0) )
//   logits = 30 tanh( (head rms_norm(h, norm)) / 30 )
//
// The host plans a call as the CPU engine does (optimized/engine/call.h), uploads it as one piece
// and launches kernels; nothing comes back before the logits. A step of decoding is a list of
// launches that is recorded once for a cache and runs again for each token. Memory is planned for
// the longest call before the first token. Scores and probabilities of attention are never whole
// and cannot be shown. Which kernels a call runs on says kernel_choice.h.  Spec.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "optimized/engine/call.h"
#include "optimized/engine/cuda/call_inputs.h"
#include "optimized/engine/cuda/kernel_choice.h"
#include "optimized/engine/cuda/kv_cache.h"
#include "optimized/engine/cuda/model.h"
#include "optimized/engine/cuda/scratch.h"
#include "optimized/engine/cuda/shown.h"
#include "optimized/engine/taps.h"
#include "optimized/kernels/gemm_cuda.h"

namespace assay::cuda {

struct Options {
  bool round_to_bf16 = false;  // rows that meet bf16 weights: the class bf16
  KeyType cache = KeyType::kF32;
  bool skip_shared = true;
  VisionMask vision_mask = VisionMask::kSlidingClamped;
  std::optional<KernelChoice> kernels;  // none: the device's own
};

// Rows on the device, valid until the engine's next call.
struct ForwardResult {
  DeviceRows final_norm;
  DeviceRows logits;
};

class Engine {
 public:
  // Keeps references to model and stream.
  Engine(const Model& model, const Options& options, Stream& stream);

  const Model& model() const { return model_; }
  const Options& options() const { return options_; }
  Stream& stream() const { return stream_; }
  // Makes room for the calls of the cache, too.
  KvCache new_cache(std::size_t context, std::size_t call);

  // Appends the tokens and returns the last `rows` of them. Throws Error on ids outside the
  // vocabulary and on tokens that do not fit the cache.
  ForwardResult forward(const cpu::Tokens& tokens, KvCache& cache, std::size_t rows,
                        cpu::Taps* taps = nullptr);

  // Rows as numbers on the host, without what lies between them.
  std::vector<float> values(const DeviceRows& rows) const { return shown_.values(rows); }

  // How many launches and copies a recorded step has; 0 before the first.
  std::size_t recorded() const { return step_ ? step_->graph.size() : 0; }
  // Bytes of everything but weights and caches, so far.
  std::size_t scratch_bytes() const { return scratch_.bytes() + inputs_.bytes(); }

 private:
  friend class Drafter;  // runs its layers
  // The rows of a call that layers still compute: h, and its norm for the layer that comes next.
  struct Run {
    DeviceRows h, n;
    std::size_t first_token = 0;  // of the call; those before were left out
    const DeviceCall& call;
    const KvCache& cache;
  };
  struct Routing {
    ExpertRows rows;
    const float* weight = nullptr;
    const int* row_of = nullptr;
  };
  struct Step {  // of decoding
    std::uint64_t cache;
    std::size_t rows;
    Graph graph;
    ForwardResult result;
  };
  // Room for calls of so many tokens. True: something had to move, and a recorded step is dropped.
  bool reserve(std::size_t tokens, std::size_t rows, std::size_t context);
  void product(const DeviceWeight& w, const DeviceRows& x, const DeviceRows& y);
  // `gather`: x has a row for each token; else one for each sorted choice.
  void expert_product(const DeviceWeight& w, const ExpertRows& rows, bool gather,
                      const DeviceRows& x, const DeviceRows& y);
  // Rows of x meet w as bf16, by the kernels of a set other than kPlain.
  void tensor_product(KernelSet set, const DeviceWeight& w, RoundRows x, const DeviceRows& y,
                      const ExpertRows* experts);
  void attend(const AttentionCall& call);
  bool rounds(const DeviceWeight& w) const {
    return options_.round_to_bf16 && w.format == WeightFormat::kBf16;
  }
  DeviceCall put_call(const cpu::Tokens& tokens, const cpu::Call& call, const KvCache& cache);
  ForwardResult compute(const DeviceCall& call, const KvCache& cache, std::size_t rows,
                        const cpu::TapScope& tap);
  void embed_tokens(const DeviceCall& call, const DeviceRows& h, const cpu::TapScope& tap);
  void per_layer_rows(const DeviceCall& call, const DeviceRows& h, const cpu::TapScope& tap);
  void decoder_layer(std::size_t i, const Run& run, const cpu::TapScope& tap);
  DeviceRows self_attention(std::size_t i, const Run& run, const cpu::TapScope& tap);
  void own_keys(std::size_t i, const Run& run, const DeviceRows& k, const DeviceRows& v,
                const cpu::TapScope& tap);
  DeviceRows mlp(const FeedForwardWeights& w, const DeviceRows& x, const cpu::TapScope& tap);
  DeviceRows feed_forward(std::size_t i, const Run& run, const cpu::TapScope& tap);
  Routing route(const MoeWeights& w, const DeviceRows& h, const cpu::TapScope& tap);
  void moe(const MoeWeights& w, const DeviceRows& h, const DeviceRows& dense,
           const cpu::TapScope& tap);
  void per_layer_block(std::size_t i, const Run& run, const float* next_norm,
                       const cpu::TapScope& tap);
  ForwardResult unembed(const DeviceRows& h, const cpu::TapScope& tap);

  const Model& model_;
  Options options_;
  Stream& stream_;
  Scratch scratch_;
  CallInputs inputs_;
  KernelChoice kernels_;
  mutable Shown shown_;
  std::optional<Step> step_;
};

}  // namespace assay::cuda
