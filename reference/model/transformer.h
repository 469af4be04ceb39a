// SPDX-License-Identifier: Apache-2.0
// The text model: ids and soft-token embeddings in, logits out. The one page to read.
//
//   h0     = embed_tokens[ids] * sqrt(D), placeholder rows replaced by soft-token embeddings (R-12,
//   R-13) in     = per-layer inputs of h0 (E2B, E4B) h      = decoder_layer_{L-1}( ...
//   decoder_layer_0(h0) ) n      = rms_norm(h, norm) logits = 30 tanh( (embed_tokens n) / 30 )
//
// Written to be read, not to be fast: one sequence, no fusion, weights widened one layer at a
// time. optimized/ gives the same answers quickly.  Spec, RX-10 to RX-12,
// RX-16, RX-17.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/blocks/kv_cache.h"
#include "reference/core/taps.h"
#include "reference/core/tensor.h"
#include "reference/family/config/config.h"
#include "reference/family/config/profile.h"
#include "reference/family/config/rounding.h"
#include "reference/weights/load_weights.h"

namespace assay::ASSAY_REFERENCE {

enum class TokenType : std::int32_t { kText = 0, kImage = 1, kVideo = 2, kAudio = 3 };

// The tokens of one call.
struct TokenChunk {
  std::vector<std::int32_t> ids;        // [T]
  std::vector<TokenType> types;         // [T]
  std::vector<std::int32_t> positions;  // [T]
  std::vector<bool> valid;              // [T] false: padding
  Tensor<T, D> soft;                    // [T, D] rows of placeholders; the others are not read
};

struct ForwardResult {
  Tensor<T, D> final_norm;  // n of R-60, what a drafter consumes
  Tensor<T, V> logits;
};

class Transformer {
 public:
  // Keeps a reference to the checkpoint. vision_mask is how blocks open the masks.
  explicit Transformer(const Checkpoint& checkpoint, Rounding rounding = {},
                       VisionMask vision_mask = VisionMask::kSlidingClamped);

  const TextConfig& config() const { return config_; }
  const WeightReader& weights() const { return reader_; }
  const Rounding& rounding() const { return rounding_; }
  KvCache new_cache(std::size_t rollback_reserve = 0) const { return {config_, rollback_reserve}; }

  // Appends the chunk to the cache and returns a row per token. Throws on ids outside the
  // vocabulary, and on a chunk that would cut a vision block in two.
  ForwardResult forward(const TokenChunk& chunk, KvCache& cache, Taps& taps) const;

 private:
  struct Call;
  Call begin_call(const TokenChunk& chunk, const KvCache& cache, const TapScope& tap) const;
  Tensor<T, D> embed(const TokenChunk& chunk, const TapScope& tap) const;
  Tensor<T, D> run_layers(Tensor<T, D> h, const Tensor<T, L, P>& per_layer, Call& call,
                          KvCache& cache, const TapScope& tap) const;
  ForwardResult unembed_rows(const Tensor<T, D>& h, const TapScope& tap) const;

  const TextConfig& config_;
  WeightReader reader_;
  Rounding rounding_;
  VisionMask vision_mask_;
};

}  // namespace assay::ASSAY_REFERENCE
