// SPDX-License-Identifier: Apache-2.0
// What all layers of a call share: where its tokens stand, what each of them sees, and the angles
// by which heads are rotated.  Spec.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "optimized/engine/token_places.h"
#include "optimized/kernels/attention.h"
#include "reference/family/config/config.h"
#include "reference/family/config/profile.h"

namespace assay::cpu {

enum class TokenType : std::int32_t { kText = 0, kImage = 1, kVideo = 2, kAudio = 3 };

// The tokens of one call.
struct Tokens {
  std::vector<std::int32_t> ids;
  std::vector<TokenType> types;
  std::vector<std::int32_t> positions;
  std::vector<bool> valid;  // false: padding
  std::vector<float> soft;  // [tokens, hidden_size] rows of placeholders; may be empty without any

  std::size_t count() const { return ids.size(); }
};

// Valid tokens of text that stand at `position` and after it.
Tokens text_tokens(std::vector<std::int32_t> ids, std::size_t position);

bool is_vision(TokenType type);

// The row of the table of each token: placeholders look up the pad row. Throws Error for an
// id outside the vocabulary.
std::vector<std::int32_t> lookup_ids(const Tokens& tokens, const TextConfig& config);

// Throws Error where there are placeholders, and not a row of `width` for each token.
void check_soft(const Tokens& tokens, std::size_t width);

// What the layers of one kind see, token by token.
struct KindOfCall {
  std::size_t half = 0;                          // pairs of a head
  std::vector<float> cos, sin;                   // [tokens, half]
  std::vector<VisibleKeys> visible;              // [tokens]
  std::vector<std::vector<std::uint8_t>> masks;  // of VisibleKeys::mask, where there are holes
  std::size_t first_key = 0;
  std::optional<std::size_t> source;  // whose keys are attended to; else as the layer says
};

struct Call {
  std::size_t start = 0;  // tokens in the cache before it
  std::size_t tokens = 0;
  KindOfCall sliding;
  KindOfCall full;

  const KindOfCall& of(LayerKind kind) const {
    return kind == LayerKind::kSliding ? sliding : full;
  }
};

// Of each channel pair that rotates; the pairs after them do not.
std::vector<double> rope_frequencies(std::size_t head_dim, const RopeParameters& parameters);

// Cosines and sines of one position, for all pairs of a head.
void rotation(std::int32_t position, std::span<const double> frequencies, std::span<float> cos,
              std::span<float> sin);

// Vision blocks, positions and validity of a chunk; throws Error on a chunk that begins inside a
// block or whose lists differ in length.
std::vector<TokenPlace> places_of(const Tokens& tokens, const TextConfig& config,
                                  const TokenPlaces& cache);

enum class DraftWindow { kLastKeys, kStandard };

// What a drafter's layers of one kind attend to, the same in every step: the keys of a target whose
// cache keeps `slots` of them. Its query is at `position`, after the last.  Spec.
KindOfCall drafter_kind(const TextConfig& drafter, const LayerConfig& layer,
                        const TokenPlaces& cache, std::size_t slots, std::int32_t position,
                        DraftWindow window);

// `blocks`: the vision block of each token of the call, whose places the cache has already.
Call begin_call(const TextConfig& config, const TokenPlaces& cache,
                const std::vector<std::int32_t>& blocks, VisionMask vision_mask);

}  // namespace assay::cpu
