// SPDX-License-Identifier: Apache-2.0
// data/taps.txt as rows in the order of a run, found by their patterns.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conformance/catalogue/catalogue.h"
#include "conformance/catalogue/paragraphs.h"

namespace assay::conformance {

// One paragraph of kind `tap`, without its section. Throws at a word that the format does not know.
TapEntry read_tap(const Paragraph& paragraph);

class TapTable {
 public:
  // `file` is the name in errors: "FILE:LINE: key: got ..., expected ...".
  TapTable(std::string_view text, const std::string& file);

  std::span<const TapEntry> entries() const { return entries_; }
  // The row of a pattern whose placeholders, {i} and the like, are all written as {}.
  std::optional<std::size_t> index(std::string_view open_pattern) const;

 private:
  struct Section {
    Stage stage = Stage::kNowhere;
    Part part = Part::kBefore;
  };

  static Section read_section(const Paragraph& paragraph);
  void add(TapEntry entry, const Section& section, const Paragraph& paragraph);
  void copy(const Paragraph& paragraph, const Section& section);
  void check_names(const Paragraph& paragraph, const TapEntry& entry);
  void mark_scores();

  Paragraphs paragraphs_;
  std::deque<std::string> names_;  // derived and open patterns; a deque never moves them
  std::vector<TapEntry> entries_;
  std::vector<const Paragraph*> sources_;  // of each entry
  std::unordered_map<std::string_view, std::size_t> by_pattern_;
};

const TapTable& tap_table();

}  // namespace assay::conformance
