// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/catalogue.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <limits>
#include <unordered_map>

#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

constexpr std::string_view kLayerPrefix = "text.layer.{i}.";
constexpr std::string_view kDrafterLayerPrefix = "mtp.step.{s}.layer.{j}.";

// Where a row of the catalogue is in the course of a run.
enum Stage : std::size_t { kText, kDraft, kRound, kNowhere };
enum Part : std::size_t { kBefore, kLayer, kAfter };

struct Placed {
  TapEntry entry;
  Stage stage;
  Part part;
};

// A drafter has no keys, values, experts or per-layer inputs of its own, and no cache.
bool in_drafter_layer(const TapEntry& entry) {
  return entry.presence == Presence::kAlways;
}

class Catalogue {
 public:
  Catalogue() {
    add_level(model_taps(), model_taps_before_layers(), layer_taps(), kText);
    const std::vector<TapEntry> drafter_layer = drafter_layer_taps();
    add_level(drafter_taps(), drafter_taps_before_layers(), drafter_layer, kDraft);
    for (const TapEntry& entry : round_taps()) {
      placed_.push_back({entry, kRound, kBefore});
    }
    for (std::size_t i = 0; i < placed_.size(); ++i) {
      entries_.push_back(placed_[i].entry);
      by_pattern_.emplace(placed_[i].entry.pattern, i);
    }
  }

  std::span<const TapEntry> entries() const { return entries_; }
  const Placed& placed(std::size_t i) const { return placed_[i]; }
  std::optional<std::size_t> index(std::string_view pattern) const {
    const auto found = by_pattern_.find(pattern);
    return found == by_pattern_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void add_level(std::span<const TapEntry> around, std::size_t before,
                 std::span<const TapEntry> layer, Stage stage) {
    for (const TapEntry& entry : around.first(before)) {
      placed_.push_back({entry, stage, kBefore});
    }
    for (const TapEntry& entry : layer) {
      placed_.push_back({entry, stage, kLayer});
    }
    for (const TapEntry& entry : around.subspan(before)) {
      placed_.push_back({entry, stage, kAfter});
    }
  }

  std::vector<TapEntry> drafter_layer_taps() {
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

  std::deque<std::string> names_;  // the derived patterns; a deque never moves them
  std::vector<Placed> placed_;
  std::vector<TapEntry> entries_;
  std::unordered_map<std::string_view, std::size_t> by_pattern_;
};

const Catalogue& catalogue() {
  static const Catalogue instance;
  return instance;
}

// "12" or a placeholder such as "{i}"; nothing else.
bool is_index(std::string_view segment, std::optional<std::size_t>& value) {
  if (segment.size() == 3 && segment.front() == '{' && segment.back() == '}') {
    return true;
  }
  if (segment.empty() || segment.size() > 6 || (segment.size() > 1 && segment[0] == '0')) {
    return false;
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(segment.begin(), segment.end(), number);
  if (error != std::errc() || end != segment.end()) {
    return false;
  }
  value = number;
  return true;
}

// Takes "<lead>N." off the front of name, writing `placeholder` to the pattern instead of N.
bool take_index(std::string_view& name, std::string_view lead, std::string_view placeholder,
                std::string& pattern, std::optional<std::size_t>& value) {
  if (!name.starts_with(lead)) {
    return false;
  }
  const std::string_view rest = name.substr(lead.size());
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos || !is_index(rest.substr(0, dot), value)) {
    return false;
  }
  pattern.append(lead).append(placeholder).append(".");
  name = rest.substr(dot + 1);
  return true;
}

std::string pattern_of(std::string_view name, TapMatch& match) {
  std::string pattern;
  if (take_index(name, "mtp.step.", "{s}", pattern, match.step)) {
    take_index(name, "layer.", "{j}", pattern, match.layer);
  } else if (!take_index(name, "text.layer.", "{i}", pattern, match.layer)) {
    take_index(name, "spec.round.", "{r}", pattern, match.step);
  }
  return pattern.append(name);
}

std::string with_number(std::string_view pattern, std::string_view placeholder, std::size_t n) {
  std::string name(pattern);
  const std::size_t at = name.find(placeholder);
  return at == std::string::npos ? name : name.replace(at, placeholder.size(), std::to_string(n));
}

struct Expansion {
  const TapContext& context;
  std::vector<std::string> names;

  bool present(const TapEntry& entry, bool owns_kv) const {
    switch (entry.presence) {
      case Presence::kAlways:
        return true;
      case Presence::kPle:
        return context.ple;
      case Presence::kMoe:
        return context.moe;
      case Presence::kOwnsKv:
        return owns_kv;
      case Presence::kCache:
        return context.cache && owns_kv;
      case Presence::kCentroids:
        return context.centroids;
      case Presence::kSpeculative:
        return false;
    }
    return false;
  }

  void add(Stage stage, Part part, bool owns_kv, std::size_t step, std::size_t layer) {
    const std::size_t count = all_taps().size();
    for (std::size_t i = 0; i < count; ++i) {
      const Placed& placed = catalogue().placed(i);
      if (placed.stage == stage && placed.part == part && present(placed.entry, owns_kv)) {
        std::string name = with_number(placed.entry.pattern, "{s}", step);
        name = with_number(name, stage == kText ? "{i}" : "{j}", layer);
        names.push_back(std::move(name));
      }
    }
  }
};

template <class Row>
const Row* find_label(std::span<const Row> rows, std::string_view label) {
  const auto found = std::ranges::find(rows, label, &Row::label);
  return found == rows.end() ? nullptr : &*found;
}

template <class Row>
std::vector<Row> joined(std::initializer_list<std::span<const Row>> parts) {
  std::vector<Row> rows;
  for (const std::span<const Row> part : parts) {
    rows.insert(rows.end(), part.begin(), part.end());
  }
  return rows;
}

}  // namespace

std::span<const TapEntry> all_taps() {
  return catalogue().entries();
}

std::span<const Rule> all_rules() {
  static const std::vector<Rule> rules = joined<Rule>({input_rules(), layer_rules()});
  return rules;
}

std::span<const Mistake> all_mistakes() {
  static const std::vector<Mistake> mistakes =
      joined<Mistake>({early_mistakes(), attention_mistakes(), late_mistakes()});
  return mistakes;
}

const Rule* find_rule(std::string_view label) {
  return find_label(all_rules(), label);
}

const Mistake* find_mistake(std::string_view label) {
  return find_label(all_mistakes(), label);
}

std::optional<TapMatch> find_tap(std::string_view name) {
  TapMatch match;
  const std::optional<std::size_t> index = catalogue().index(pattern_of(name, match));
  if (!index) {
    return std::nullopt;
  }
  match.entry = &all_taps()[*index];
  return match;
}

ExecutionKey execution_key(std::string_view name) {
  TapMatch match;
  const std::optional<std::size_t> index = catalogue().index(pattern_of(name, match));
  if (!index) {
    return {kNowhere, 0, 0, 0, 0};
  }
  const Placed& placed = catalogue().placed(*index);
  return {placed.stage, match.step.value_or(0), placed.part, match.layer.value_or(0), *index};
}

TapContext context_of(const TextConfig& config) {
  TapContext context;
  for (std::size_t i = 0; i < config.num_hidden_layers(); ++i) {
    context.layer_owns_kv.push_back(!config.shares_kv(i));
  }
  context.ple = config.hidden_size_per_layer_input > 0;
  context.moe = config.moe.has_value();
  context.cache = true;
  return context;
}

std::vector<std::string> expand_taps(const TapContext& context) {
  Expansion expansion{context, {}};
  expansion.add(kText, kBefore, true, 0, 0);
  for (std::size_t layer = 0; layer < context.layer_owns_kv.size(); ++layer) {
    expansion.add(kText, kLayer, context.layer_owns_kv[layer], 0, layer);
  }
  expansion.add(kText, kAfter, true, 0, 0);
  for (std::size_t step = 0; step < context.draft_steps; ++step) {
    expansion.add(kDraft, kBefore, false, step, 0);
    for (std::size_t layer = 0; layer < context.drafter_layers; ++layer) {
      expansion.add(kDraft, kLayer, false, step, layer);
    }
    expansion.add(kDraft, kAfter, false, step, 0);
  }
  return std::move(expansion.names);
}

}  // namespace assay::conformance
