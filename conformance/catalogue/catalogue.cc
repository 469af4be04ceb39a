// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/catalogue.h"

#include <algorithm>

#include "conformance/catalogue/embedded.h"
#include "conformance/catalogue/paragraphs.h"

namespace assay::conformance {
namespace {

template <class Row>
const Row* find_label(std::span<const Row> rows, std::string_view label) {
  const auto found = std::ranges::find(rows, label, &Row::label);
  return found == rows.end() ? nullptr : &*found;
}

Rule rule_of(const Paragraph& paragraph) {
  paragraph.expect_keys({"rule", "about", "text"});
  return {paragraph.at("rule"), paragraph.at("about"), paragraph.at("text")};
}

Mistake mistake_of(const Paragraph& paragraph) {
  paragraph.expect_keys({"mistake", "what", "tap", "note"});
  return {paragraph.at("mistake"), paragraph.at("what"), paragraph.get("tap"),
          paragraph.get("note")};
}

Divergence divergence_of(const Paragraph& paragraph) {
  paragraph.expect_keys({"divergence", "about", "who", "changes", "here", "switch"});
  return {paragraph.at("divergence"), paragraph.at("about"), paragraph.at("who"),
          paragraph.at("changes"),    paragraph.at("here"),  paragraph.get("switch")};
}

template <class Row>
std::vector<Row> rows_of(const Paragraphs& file, Row (*row_of)(const Paragraph&)) {
  std::vector<Row> rows;
  for (const Paragraph& paragraph : file.all()) {
    rows.push_back(row_of(paragraph));
  }
  return rows;
}

}  // namespace

std::span<const Rule> all_rules() {
  static const Paragraphs file(embedded::rules, "conformance/catalogue/data/rules.txt");
  static const std::vector<Rule> rules = rows_of(file, rule_of);
  return rules;
}

std::span<const Mistake> all_mistakes() {
  static const Paragraphs file(embedded::mistakes, "conformance/catalogue/data/mistakes.txt");
  static const std::vector<Mistake> mistakes = rows_of(file, mistake_of);
  return mistakes;
}

std::span<const Divergence> all_divergences() {
  static const Paragraphs file(embedded::divergences, "conformance/catalogue/data/divergences.txt");
  static const std::vector<Divergence> divergences = rows_of(file, divergence_of);
  return divergences;
}

const Rule* find_rule(std::string_view label) {
  return find_label(all_rules(), label);
}

const Mistake* find_mistake(std::string_view label) {
  return find_label(all_mistakes(), label);
}

const Divergence* find_divergence(std::string_view label) {
  return find_label(all_divergences(), label);
}

}  // namespace assay::conformance
