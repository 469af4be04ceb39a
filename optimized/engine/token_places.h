// SPDX-License-Identifier: Apache-2.0
// Where the tokens of one sequence stand: what a cache of any device knows beside keys and values.
// Spec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/family/config/config.h"

namespace assay::cpu {

struct TokenPlace {
  std::int32_t position = 0;
  bool valid = true;
  std::int32_t block = -1;  // vision block of the call, -1 outside
};

class TokenPlaces {
 public:
  // Room for `context` tokens in calls of at most `call` of them.
  TokenPlaces(std::size_t window, std::size_t context, std::size_t call);

  std::size_t length() const { return places_.size(); }
  std::size_t context() const { return context_; }
  std::size_t call() const { return call_; }

  const TokenPlace& place(std::size_t token) const { return places_[token]; }
  // Whether every token is valid and stands at its index: then what it sees is known by that.
  bool is_plain() const { return others_ == 0; }
  bool ends_in_block() const { return !places_.empty() && ended_in_block_; }

  // The first token that a layer of this kind may see in a call that starts at `start`.
  std::size_t first_visible(LayerKind kind, std::size_t start) const;
  // What a sliding layer keeps: the window, the call, and two keys more, which drafters see.
  std::size_t ring_tokens() const { return window_ + 1 + call_; }

  // The tokens of a call, before its layers run. Throws Error when they do not fit.
  void append(const std::vector<TokenPlace>& places);
  void forget_from(std::size_t length);

 private:
  std::size_t window_;
  std::size_t context_;
  std::size_t call_;
  std::vector<TokenPlace> places_;
  std::size_t others_ = 0;  // tokens that are padding or stand elsewhere
  bool ended_in_block_ = false;
};

}  // namespace assay::cpu
