// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/call.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "reference/family/base/error.h"

namespace assay::cpu {
namespace {

// and the readings of other programs (DIV-M17, DIV-M39).
bool sees(const TokenPlace& q, const TokenPlace& s, bool sliding, std::int64_t window,
          VisionMask blocks) {
  if (!q.valid || !s.valid) {
    return false;
  }
  const std::int64_t distance = static_cast<std::int64_t>(q.position) - s.position;
  const bool block = q.block >= 0 && q.block == s.block;
  if (!sliding) {
    return distance >= 0 || (opens_full_layers(blocks) && block);
  }
  switch (blocks) {
    case VisionMask::kSlidingPastClamped:
      return (distance >= 0 || block) && distance < window;
    case VisionMask::kSlidingUnclamped:
    case VisionMask::kAllLayers:
      return (0 <= distance && distance < window) || block;
    case VisionMask::kSlidingClamped:
    case VisionMask::kAllLayersClamped:
      break;
  }
  return (distance >= 0 || block) && -window < distance && distance < window;
}

// What token `q` of the sequence sees of the tokens [first, end); looks at all of them.
VisibleKeys scan(const std::vector<TokenPlace>& places, std::size_t first, std::size_t q,
                 bool sliding, std::int64_t window, VisionMask blocks,
                 std::vector<std::vector<std::uint8_t>>& masks) {
  std::vector<std::uint8_t> mask;
  VisibleKeys visible;
  std::size_t seen = 0;
  for (std::size_t s = 0; s < places.size(); ++s) {
    const bool yes = sees(places[q - first], places[s], sliding, window, blocks);
    mask.push_back(yes ? 1 : 0);
    if (yes) {
      visible.first = seen == 0 ? first + s : visible.first;
      visible.last = first + s;
      ++seen;
    }
  }
  if (seen > 0 && visible.last + 1 - visible.first != seen) {
    masks.push_back(std::move(mask));
    visible.mask = masks.back().data();
    visible.mask_first = first;
  }
  return visible;
}

KindOfCall kind_of_call(const TextConfig& config, const LayerConfig& layer,
                        const TokenPlaces& cache, const std::vector<std::int32_t>& blocks,
                        std::size_t start, VisionMask vision_mask) {
  const bool sliding = layer.kind == LayerKind::kSliding;
  const std::size_t tokens = blocks.size();
  KindOfCall kind;
  kind.first_key = cache.first_visible(layer.kind, start);
  // Without padding, positions and vision blocks the keys are known: [q - W + 1, q].
  const bool plain =
      cache.is_plain() && std::ranges::all_of(blocks, [](std::int32_t b) { return b < 0; });
  std::vector<TokenPlace> places;
  for (std::size_t i = kind.first_key; i < start + tokens && !plain; ++i) {
    places.push_back(cache.place(i));
    places.back().block = i < start ? -1 : blocks[i - start];
  }
  kind.half = layer.head_dim / 2;
  const auto frequencies =
      rope_frequencies(layer.head_dim, sliding ? config.rope_sliding : config.rope_full);
  kind.cos.resize(tokens * kind.half);
  kind.sin.resize(tokens * kind.half);
  for (std::size_t t = 0; t < tokens; ++t) {
    const std::size_t q = start + t;
    rotation(cache.place(q).position, frequencies,
             std::span(kind.cos).subspan(t * kind.half, kind.half),
             std::span(kind.sin).subspan(t * kind.half, kind.half));
    if (plain) {
      const std::size_t reach = sliding ? config.sliding_window - 1 : q;
      kind.visible.push_back({q > reach ? q - reach : 0, q});
    } else {
      kind.visible.push_back(scan(places, kind.first_key, q, sliding,
                                  static_cast<std::int64_t>(config.sliding_window), vision_mask,
                                  kind.masks));
    }
  }
  return kind;
}

}  // namespace

std::vector<double> rope_frequencies(std::size_t head_dim, const RopeParameters& parameters) {
  const auto rotating = static_cast<std::size_t>(
      std::floor(parameters.partial_rotary_factor * static_cast<double>(head_dim / 2)));
  std::vector<double> frequencies(rotating);
  for (std::size_t c = 0; c < rotating; ++c) {
    const double exponent = -2.0 * static_cast<double>(c) / static_cast<double>(head_dim);
    frequencies[c] = std::pow(parameters.rope_theta, exponent);
  }
  return frequencies;
}

void rotation(std::int32_t position, std::span<const double> frequencies, std::span<float> cos,
              std::span<float> sin) {
  std::ranges::fill(cos, 1.0F);
  std::ranges::fill(sin, 0.0F);
  for (std::size_t c = 0; c < frequencies.size(); ++c) {
    const double angle = position * frequencies[c];
    cos[c] = static_cast<float>(std::cos(angle));
    sin[c] = static_cast<float>(std::sin(angle));
  }
}

Tokens text_tokens(std::vector<std::int32_t> ids, std::size_t position) {
  Tokens tokens;
  tokens.types.assign(ids.size(), TokenType::kText);
  tokens.valid.assign(ids.size(), true);
  tokens.positions.resize(ids.size());
  std::iota(tokens.positions.begin(), tokens.positions.end(), static_cast<std::int32_t>(position));
  tokens.ids = std::move(ids);
  return tokens;
}

bool is_vision(TokenType type) {
  return type == TokenType::kImage || type == TokenType::kVideo;
}

std::vector<std::int32_t> lookup_ids(const Tokens& tokens, const TextConfig& config) {
  std::vector<std::int32_t> ids = tokens.ids;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    ids[t] = tokens.types[t] == TokenType::kText ? ids[t] : config.special.pad;
    if (ids[t] < 0 || static_cast<std::size_t>(ids[t]) >= config.vocab_size) {
      throw Error("token id at index " + std::to_string(t) + ": got " + std::to_string(ids[t]) +
                  ", expected 0 to " + std::to_string(config.vocab_size - 1));
    }
  }
  return ids;
}

void check_soft(const Tokens& tokens, std::size_t width) {
  const bool placeholders =
      std::ranges::any_of(tokens.types, [](TokenType type) { return type != TokenType::kText; });
  if (placeholders && tokens.soft.size() != tokens.count() * width) {
    throw Error("forward: soft-token embeddings: got " + std::to_string(tokens.soft.size()) +
                " numbers, expected " + std::to_string(tokens.count() * width));
  }
}

std::vector<TokenPlace> places_of(const Tokens& tokens, const TextConfig& config,
                                  const TokenPlaces& cache) {
  const std::size_t count = tokens.count();
  if (count == 0 || tokens.types.size() != count || tokens.positions.size() != count ||
      tokens.valid.size() != count) {
    throw Error("forward: got " + std::to_string(count) +
                " ids, expected at least one, and a type, position and validity for each");
  }
  if (config.vision_blocks && cache.ends_in_block() && is_vision(tokens.types.front())) {
    throw Error("forward: got a chunk that starts inside a vision block, expected the block whole");
  }
  std::vector<TokenPlace> places(count);
  std::int32_t block = -1;
  for (std::size_t t = 0; t < count; ++t) {
    const bool vision = config.vision_blocks && is_vision(tokens.types[t]);
    const bool goes_on = t > 0 && is_vision(tokens.types[t - 1]);
    block += vision && !goes_on ? 1 : 0;
    places[t] = {tokens.positions[t], tokens.valid[t], vision ? block : -1};
  }
  return places;
}

KindOfCall drafter_kind(const TextConfig& drafter, const LayerConfig& layer,
                        const TokenPlaces& cache, std::size_t slots, std::int32_t position,
                        DraftWindow window) {
  const bool sliding = layer.kind == LayerKind::kSliding;
  const std::size_t length = cache.length();
  KindOfCall kind;
  kind.half = layer.head_dim / 2;
  kind.cos.resize(kind.half);
  kind.sin.resize(kind.half);
  const auto frequencies =
      rope_frequencies(layer.head_dim, sliding ? drafter.rope_sliding : drafter.rope_full);
  rotation(position, frequencies, kind.cos, kind.sin);
  const std::size_t reach =
      window == DraftWindow::kLastKeys ? drafter.sliding_window + 1 : drafter.sliding_window - 1;
  const std::size_t seen = sliding ? std::min(length, reach) : length;
  kind.first_key = length - std::min(length, slots);
  kind.visible.push_back({length - seen, length - 1});
  std::vector<std::uint8_t> mask;
  for (std::size_t s = length - seen; s < length; ++s) {
    mask.push_back(cache.place(s).valid ? 1 : 0);
  }
  if (std::ranges::find(mask, 0) != mask.end()) {
    kind.masks.push_back(std::move(mask));
    kind.visible[0].mask = kind.masks[0].data();
    kind.visible[0].mask_first = length - seen;
  }
  return kind;
}

Call begin_call(const TextConfig& config, const TokenPlaces& cache,
                const std::vector<std::int32_t>& blocks, VisionMask vision_mask) {
  Call call;
  call.tokens = blocks.size();
  call.start = cache.length() - call.tokens;
  for (const LayerConfig& layer : config.layers) {
    KindOfCall& kind = layer.kind == LayerKind::kSliding ? call.sliding : call.full;
    if (kind.visible.empty()) {
      kind = kind_of_call(config, layer, cache, blocks, call.start, vision_mask);
    }
  }
  return call;
}

}  // namespace assay::cpu
