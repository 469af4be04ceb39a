// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/token_ids.h"

#include <bit>
#include <functional>

namespace assay {
namespace {

std::uint64_t hash_of(std::string_view token) {
  return std::hash<std::string_view>{}(token);
}

}  // namespace

TokenIds::TokenIds(std::span<const std::string> tokens)
    : tokens_(tokens), slots_(std::bit_ceil(2 * tokens.size() + 2)) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::uint64_t hash = hash_of(tokens[i]);
    Slot& slot = slots_[place_of(hash, tokens[i])];
    if (slot.id == kNoToken) {
      slot = {hash, static_cast<std::int32_t>(i)};
    }
  }
}

// The slot that holds the token, or the empty one where it would be.
std::size_t TokenIds::place_of(std::uint64_t hash, std::string_view token) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t place = hash & mask;
  while (slots_[place].id != kNoToken &&
         (slots_[place].hash != hash ||
          tokens_[static_cast<std::size_t>(slots_[place].id)] != token)) {
    place = (place + 1) & mask;
  }
  return place;
}

std::int32_t TokenIds::find(std::string_view token) const {
  return slots_.empty() ? kNoToken : slots_[place_of(hash_of(token), token)].id;
}

}  // namespace assay
