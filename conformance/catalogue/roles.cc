// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/roles.h"

#include <algorithm>

#include "conformance/catalogue/paragraphs.h"
#include "conformance/catalogue/tap_name.h"

namespace assay::conformance {
namespace {

using Kind = TapRole::Kind;

bool is_kind(std::string_view tap, Kind kind) {
  return role_of(tap).kind == kind;
}

// The tap beside this one, or "" for no leaf.
std::string named(std::string_view tap, std::string_view leaf) {
  return leaf.empty() ? "" : beside(tap, leaf);
}

}  // namespace

const TapRole& role_of(std::string_view tap) {
  static const TapRole kStranger;
  const auto match = find_tap(tap);
  return match ? match->entry->role : kStranger;
}

Stage stage_of(std::string_view tap) {
  const auto match = find_tap(tap);
  return match ? match->entry->stage : Stage::kNowhere;
}

bool is_audio(std::string_view tap) {
  constexpr Presence kAudio[] = {Presence::kSamples,      Presence::kLogMel,
                                 Presence::kMel,          Presence::kAudioEncoder,
                                 Presence::kUnifiedAudio, Presence::kAudioEmbedder};
  const auto match = find_tap(tap);
  return match && std::ranges::find(kAudio, match->entry->presence) != std::end(kAudio);
}

bool is_mask(std::string_view tap) {
  return is_kind(tap, Kind::kMask);
}

bool is_angle(std::string_view tap) {
  return is_kind(tap, Kind::kAngle);
}

const std::vector<std::string>& mask_taps() {
  static const std::vector<std::string> masks = [] {
    std::vector<std::string> names;
    for (const TapEntry& entry : all_taps()) {
      if (entry.role.kind == Kind::kMask) {
        names.emplace_back(entry.pattern);
      }
    }
    return names;
  }();
  return masks;
}

bool is_scores(std::string_view tap) {
  return is_kind(tap, Kind::kScores);
}

bool is_probabilities(std::string_view tap) {
  return is_kind(tap, Kind::kProbabilities);
}

std::string probabilities_of(std::string_view scores_tap) {
  return is_scores(scores_tap) ? named(scores_tap, role_of(scores_tap).from) : "";
}

bool is_choice(std::string_view tap) {
  return is_kind(tap, Kind::kChoice);
}

std::string scores_of_choice(std::string_view tap) {
  if (!is_choice(tap)) {
    return "";
  }
  std::string from = named(tap, role_of(tap).from);
  return is_choice(from) ? "" : from;
}

std::string nearest_scores_of_choice(std::string_view tap) {
  return is_choice(tap) ? named(tap, role_of(tap).nearest) : "";
}

bool is_scores_of_choice(std::string_view tap) {
  return role_of(tap).scores_choice;
}

bool is_watched(std::string_view tap) {
  return is_choice(tap) || role_of(tap).watched;
}

std::string choice_of_slots(std::string_view tap) {
  return named(tap, role_of(tap).slots);
}

bool ends_choice(std::string_view choice, std::string_view tap) {
  const auto until = words_of(role_of(choice).until);
  return std::ranges::find(until, tap_leaf(tap)) != until.end();
}

std::optional<ProductInput> input_of_product(std::string_view tap) {
  const TapRole& role = role_of(tap);
  if (role.input.empty()) {
    return std::nullopt;
  }
  return ProductInput{named(tap, role.input), role.half_input};
}

std::string first_tap(TapRole::Kind kind) {
  const auto taps = all_taps();
  const auto found =
      std::ranges::find_if(taps, [&](const TapEntry& entry) { return entry.role.kind == kind; });
  return found == taps.end() ? "" : std::string(found->pattern);
}

}  // namespace assay::conformance
