// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/catalogue.h"

#include <algorithm>

#include "conformance/catalogue/tables.h"

namespace assay::conformance {
namespace {

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

std::span<const Rule> all_rules() {
  static const std::vector<Rule> rules = joined<Rule>(
      {input_rules(), layer_rules(), image_rules(), vision_rules(), audio_rules(), merge_rules(),
       tokenizer_rules(), prompt_rules(), answer_rules(), sampling_rules()});
  return rules;
}

std::span<const Mistake> all_mistakes() {
  static const std::vector<Mistake> mistakes = joined<Mistake>(
      {early_mistakes(), attention_mistakes(), late_mistakes(), image_mistakes(), vision_mistakes(),
       audio_front_end_mistakes(), audio_encoder_mistakes(), merge_mistakes(), prompt_mistakes()});
  return mistakes;
}

std::span<const Divergence> all_divergences() {
  return divergences();
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
