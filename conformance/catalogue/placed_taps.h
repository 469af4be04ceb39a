// SPDX-License-Identifier: Apache-2.0
// The rows of the catalogue with their places in the course of a run.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conformance/catalogue/catalogue.h"

namespace assay::conformance {

enum class Stage { kRequests, kMedia, kText, kDraft, kRound, kNowhere };
// Only the audio encoder has kSubsampling and kBetween.
enum class Part { kBefore, kSubsampling, kBetween, kLayers, kAfter };

struct Placed {
  TapEntry entry;
  Stage stage;
  Part part;
};

class PlacedTaps {
 public:
  PlacedTaps();

  std::span<const TapEntry> entries() const { return entries_; }
  std::span<const Placed> placed() const { return placed_; }
  std::optional<std::size_t> index(std::string_view pattern) const;

 private:
  void add(std::span<const TapEntry> entries, Stage stage, Part part);
  void add_media();
  std::vector<TapEntry> drafter_layer_taps();

  std::deque<std::string> names_;  // the derived patterns; a deque never moves them
  std::vector<Placed> placed_;
  std::vector<TapEntry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_pattern_;
};

const PlacedTaps& placed_taps();

}  // namespace assay::conformance
