// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/placed_taps.h"

#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr std::string_view kLayerPrefix = "text.layer.{i}.";
constexpr std::string_view kDrafterLayerPrefix = "mtp.step.{s}.layer.{j}.";

// A drafter has no keys, values, experts or per-layer inputs of its own, and no cache.
bool in_drafter_layer(const TapEntry& entry) {
  return entry.presence == Presence::kAlways;
}

}  // namespace

PlacedTaps::PlacedTaps() {
  add(request_taps(), Stage::kRequests, Part::kBefore);
  add_media();
  const std::size_t before = model_taps_before_layers();
  add(model_taps().first(before), Stage::kText, Part::kBefore);
  add(layer_taps(), Stage::kText, Part::kLayers);
  add(model_taps().subspan(before), Stage::kText, Part::kAfter);
  const std::size_t before_draft = drafter_taps_before_layers();
  add(drafter_taps().first(before_draft), Stage::kDraft, Part::kBefore);
  add(drafter_layer_taps(), Stage::kDraft, Part::kLayers);
  add(drafter_taps().subspan(before_draft), Stage::kDraft, Part::kAfter);
  add(round_taps(), Stage::kRound, Part::kBefore);
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    entries_.push_back(placed_[i].entry);
    by_pattern_.emplace(placed_[i].entry.pattern, i);
  }
}

void PlacedTaps::add_media() {
  add(preprocessing_taps(), Stage::kMedia, Part::kBefore);
  add(unified_taps(), Stage::kMedia, Part::kBefore);
  add(vision_taps_before_layers(), Stage::kMedia, Part::kBefore);
  add(vision_layer_taps(), Stage::kMedia, Part::kLayers);
  add(vision_taps_after_layers(), Stage::kMedia, Part::kAfter);
  add(audio_subsampling_taps(), Stage::kMedia, Part::kSubsampling);
  add(audio_taps_before_layers(), Stage::kMedia, Part::kBetween);
  add(audio_layer_taps(), Stage::kMedia, Part::kLayers);
  add(audio_taps_after_layers(), Stage::kMedia, Part::kAfter);
}

void PlacedTaps::add(std::span<const TapEntry> entries, Stage stage, Part part) {
  for (const TapEntry& entry : entries) {
    placed_.push_back({entry, stage, part});
  }
}

std::vector<TapEntry> PlacedTaps::drafter_layer_taps() {
  std::vector<TapEntry> taps;
  for (TapEntry entry : layer_taps()) {
    if (in_drafter_layer(entry)) {
      names_.push_back(std::string(kDrafterLayerPrefix) +
                       std::string(entry.pattern.substr(kLayerPrefix.size())));
      entry.pattern = names_.back();
      taps.push_back(entry);
    }
  }
  return taps;
}

std::optional<std::size_t> PlacedTaps::index(std::string_view pattern) const {
  const auto found = by_pattern_.find(pattern);
  return found == by_pattern_.end() ? std::nullopt : std::optional(found->second);
}

const PlacedTaps& placed_taps() {
  static const PlacedTaps instance;
  return instance;
}

std::span<const TapEntry> all_taps() {
  return placed_taps().entries();
}

}  // namespace assay::conformance
