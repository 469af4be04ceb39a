// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/tap_table.h"

#include <algorithm>
#include <array>

#include "conformance/catalogue/embedded.h"
#include "conformance/catalogue/tap_name.h"

namespace assay::conformance {
namespace {

using Kind = TapRole::Kind;

constexpr auto kStages =
    std::to_array<std::string_view>({"requests", "media", "text", "draft", "round"});
constexpr auto kParts =
    std::to_array<std::string_view>({"before", "subsampling", "between", "layers", "after"});

template <class Word, std::size_t n>
Word place_of(const Paragraph& paragraph, std::string_view key,
              const std::array<std::string_view, n>& words) {
  const auto found = std::ranges::find(words, paragraph.at(key));
  if (found == words.end()) {
    std::string known;
    for (const std::string_view word : words) {
      known.append(known.empty() ? "" : ", ").append(word);
    }
    paragraph.fail(key, "one of " + known);
  }
  return static_cast<Word>(found - words.begin());
}

}  // namespace

TapTable::TapTable(std::string_view text, const std::string& file) : paragraphs_(text, file) {
  Section section;
  for (const Paragraph& paragraph : paragraphs_.all()) {
    if (paragraph.kind() == "section") {
      section = read_section(paragraph);
      if (!paragraph.get("like").empty()) {
        copy(paragraph, section);
      }
    } else if (section.stage == Stage::kNowhere) {
      paragraph.fail(paragraph.kind(), "a section before it");
    } else {
      add(read_tap(paragraph), section, paragraph);
    }
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    check_names(*sources_[i], entries_[i]);
  }
  mark_scores();
}

TapTable::Section TapTable::read_section(const Paragraph& paragraph) {
  paragraph.expect_keys({"section", "stage", "part", "like", "named"});
  return {place_of<Stage>(paragraph, "stage", kStages), place_of<Part>(paragraph, "part", kParts)};
}

void TapTable::add(TapEntry entry, const Section& section, const Paragraph& paragraph) {
  entry.stage = section.stage;
  entry.part = section.part;
  names_.push_back(open_pattern(entry.pattern));
  if (!by_pattern_.emplace(names_.back(), entries_.size()).second) {
    paragraph.fail(paragraph.kind(), "a pattern that no row before it has");
  }
  entries_.push_back(entry);
  sources_.push_back(&paragraph);
}

void TapTable::copy(const Paragraph& paragraph, const Section& section) {
  const std::string_view like = paragraph.at("like");
  const std::string named(paragraph.at("named"));
  const std::size_t rows = entries_.size();
  for (std::size_t i = 0; i < rows; ++i) {
    TapEntry entry = entries_[i];
    if (entry.pattern.starts_with(like) && entry.presence == Presence::kAlways) {
      names_.push_back(named + std::string(entry.pattern.substr(like.size())));
      entry.pattern = names_.back();
      add(entry, section, paragraph);
    }
  }
  if (entries_.size() == rows) {
    paragraph.fail("like", "the beginning of taps before it");
  }
}

// What a role names must be a tap.
void TapTable::check_names(const Paragraph& paragraph, const TapEntry& entry) {
  const auto known = [&](std::string_view leaf) {
    return index(open_pattern(beside(entry.pattern, leaf))).has_value();
  };
  for (const std::string_view leaf : {entry.role.from, entry.role.input, entry.role.slots}) {
    if (!leaf.empty() && !known(leaf)) {
      paragraph.fail("role", "a tap beside " + std::string(entry.pattern) + ", which '" +
                                 std::string(leaf) + "' is not");
    }
  }
  for (const std::string_view leaf : words_of(entry.role.until)) {
    if (!known(leaf) && !index(open_pattern(leaf))) {
      paragraph.fail("until", "taps, which '" + std::string(leaf) + "' is not");
    }
  }
}

void TapTable::mark_scores() {
  for (const TapEntry& choice : entries_) {
    if (choice.role.kind == Kind::kChoice) {
      TapRole& scores =
          entries_[*index(open_pattern(beside(choice.pattern, choice.role.from)))].role;
      scores.scores_choice = scores.kind != Kind::kChoice;
      scores.watched = scores.scores_choice && !choice.role.last_choice;
      if (!choice.role.nearest.empty()) {
        entries_[*index(open_pattern(beside(choice.pattern, choice.role.nearest)))]
            .role.scores_choice = true;
      }
    }
  }
}

std::optional<std::size_t> TapTable::index(std::string_view open_pattern) const {
  const auto found = by_pattern_.find(open_pattern);
  return found == by_pattern_.end() ? std::nullopt : std::optional(found->second);
}

const TapTable& tap_table() {
  static const TapTable table(embedded::taps, "conformance/catalogue/data/taps.txt");
  return table;
}

std::span<const TapEntry> all_taps() {
  return tap_table().entries();
}

}  // namespace assay::conformance
