// SPDX-License-Identifier: Apache-2.0
#include "optimized/engine/token_places.h"

#include <algorithm>
#include <string>

#include "reference/family/base/error.h"

namespace assay::cpu {
namespace {

bool stands_at(const TokenPlace& place, std::size_t index) {
  return place.valid && place.position == static_cast<std::int32_t>(index);
}

}  // namespace

TokenPlaces::TokenPlaces(std::size_t window, std::size_t context, std::size_t call)
    : window_(window), context_(context), call_(std::min(call, context)) {}

std::size_t TokenPlaces::first_visible(LayerKind kind, std::size_t start) const {
  const std::size_t reach = window_ - 1;
  return kind == LayerKind::kFull || start <= reach ? 0 : start - reach;
}

void TokenPlaces::append(const std::vector<TokenPlace>& fresh) {
  if (fresh.size() > call_ || length() + fresh.size() > context_) {
    throw Error("context: got " + std::to_string(fresh.size()) + " tokens after " +
                std::to_string(length()) + ", expected at most " + std::to_string(call_) +
                " in a call and " + std::to_string(context_) + " in all");
  }
  for (TokenPlace place : fresh) {
    ended_in_block_ = place.block >= 0;
    place.block = -1;  // a block opens only in the call that contains it
    others_ += stands_at(place, places_.size()) ? 0 : 1;
    places_.push_back(place);
  }
}

void TokenPlaces::forget_from(std::size_t length) {
  if (length > places_.size() || places_.size() - length > call_) {
    throw Error("kv cache: got rollback to token " + std::to_string(length) +
                ", expected at most " + std::to_string(call_) + " tokens before " +
                std::to_string(places_.size()));
  }
  for (; places_.size() > length; places_.pop_back()) {
    others_ -= stands_at(places_.back(), places_.size() - 1) ? 0 : 1;
  }
  ended_in_block_ = false;
}

}  // namespace assay::cpu
