// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "conformance/catalogue/inner_steps.h"
#include "conformance/catalogue/roles.h"
#include "conformance/compare/visible.h"

namespace assay::conformance {
namespace {

std::size_t flagged(const std::vector<char>& rows) {
  return static_cast<std::size_t>(std::ranges::count_if(rows, [](char r) { return r != 0; }));
}

Selection select(const Tap& truth, const ComparisonContext& context) {
  Selection selection;
  selection.largest = context.largest;
  if (is_scores(truth.name)) {  // unknown visibility: nothing can be said
    selection.rows_by_rms = true;
    selection.keep.assign(truth.values.size(), 0);
    if (context.visible != nullptr && context.visible->size() == truth.values.size()) {
      selection.keep = *context.visible;
    }
  }
  if (context.all_rows) {
    selection.keep.assign(truth.values.size(), 0);
  }
  const bool of_media = !media_prefix(truth.name).empty();  // its rows are no tokens
  for (const auto* rows : {of_media ? nullptr : context.padding, context.ties}) {
    if (rows != nullptr) {
      selection.drop_rows(truth, *rows);
    }
  }
  return selection;
}

// The values in the order of the truth's slots, where both choices are known; rows that chose
// otherwise are dropped.
std::optional<std::vector<double>> aligned_values(const Tap& truth, const Tap& got,
                                                  const ComparisonContext& context,
                                                  Selection& selection) {
  if (context.truth_choice != nullptr && context.got_choice != nullptr) {
    auto aligned = align_slots(got.values, *context.truth_choice, context.got_choice->values);
    if (aligned) {
      selection.drop_rows(truth, aligned->rows);
      return std::move(aligned->values);
    }
  }
  return std::nullopt;
}

Errors measure_real(const Tap& truth, const std::vector<double>& got,
                    const ComparisonContext& context, const Selection& selection) {
  Errors errors = measure(truth, got, selection);
  if (is_probabilities(truth.name)) {
    static const std::vector<char> kUnknown;
    const auto& visible = context.visible != nullptr ? *context.visible : kUnknown;
    measure_probabilities(truth, got, visible, selection, errors);
  }
  return errors;
}

// Rows that hold no token are not compared, but they are numbers.
void measure_padding(const Tap& truth, const Tap& got, const ComparisonContext& context,
                     Errors& errors) {
  const bool has_rows = context.padding != nullptr && media_prefix(truth.name).empty() &&
                        !truth.shape.empty() && truth.shape[0] == context.padding->size();
  if (!has_rows || !got.absent.empty()) {
    return;
  }
  const std::size_t width = truth.values.size() / truth.shape[0];
  for (std::size_t i = 0; i < got.values.size(); ++i) {
    const bool masked = is_scores(truth.name) && std::isinf(got.values[i]) && got.values[i] < 0;
    if ((*context.padding)[i / width] != 0 && !std::isfinite(got.values[i]) && !masked &&
        errors.bad_padding++ == 0) {
      errors.first_bad_padding = i;
    }
  }
}

}  // namespace

Comparison compare_tap(const Tap& truth, const Tap& got, const ComparisonContext& context) {
  Comparison result;
  result.tap = truth.name;
  if (got.values.size() != truth.values.size() || !shapes_agree(got.shape, truth.shape)) {
    result.kind = Comparison::Kind::kShape;
    result.got_shape = got.shape;
    result.wanted_shape = truth.shape;
    return result;
  }
  Selection selection = select(truth, context);
  selection.drop_rows(truth, got.absent);
  if (context.ties != nullptr || context.all_rows) {
    const std::size_t rows = truth.shape.empty() ? 1 : truth.shape[0];
    result.left_out = context.all_rows ? rows : flagged(*context.ties);
    result.open_choice = context.open_choice;
  }
  result.some_rows = !got.absent.empty() || result.left_out > 0;
  if (is_choice(truth.name)) {
    result.kind = Comparison::Kind::kChoice;
    result.choice = measure_choice(truth, got.values, context.scores, selection);
    result.scores = context.scores == nullptr ? scores_of_choice(truth.name) : context.scores->name;
  } else if (is_discrete(truth)) {
    result.kind = Comparison::Kind::kExact;
    result.exact = measure_equal(truth, got.values, selection);
  } else {
    const auto aligned = aligned_values(truth, got, context, selection);
    const std::vector<double>& values = aligned ? *aligned : got.values;
    result.errors = measure_real(truth, values, context, selection);
    result.errors.scale = context.scale;
    measure_padding(truth, got, context, result.errors);
    const bool before_model = is_made_before_model(truth.name);
    if (context.rounded_to != nullptr && (before_model || is_rounded_as_known(truth.name))) {
      result.roundings = measure_roundings(truth, values, *context.rounded_to, selection);
      result.roundings.before_model = before_model;
    }
  }
  return result;
}

std::vector<char> padding_rows(const CaseInput& input) {
  std::vector<char> rows(input.valid.size());
  std::ranges::transform(input.valid, rows.begin(),
                         [](std::int32_t valid) { return static_cast<char>(valid == 0); });
  return flagged(rows) == 0 ? std::vector<char>{} : rows;
}

TruthComparer::TruthComparer(const TapSet& truth, const CaseInput& input, double largest)
    : truth_(truth), padding_(padding_rows(input)), largest_(largest) {}

std::vector<char> TruthComparer::visible_keys(const Tap& truth) const {
  if (!is_scores(truth.name)) {
    return {};
  }
  if (const Tap* probabilities = truth_.find(probabilities_of(truth.name));
      probabilities != nullptr && probabilities->values.size() == truth.values.size()) {
    return visible_from_probabilities(*probabilities);
  }
  std::vector<const Tap*> masks;
  for (const std::string& mask : mask_taps()) {
    masks.push_back(truth_.find(mask));
  }
  return visible_from_masks(masks, truth.shape);
}

Comparison TruthComparer::compare(const Tap& got, const OpenRows* open) {
  const Tap& truth = truth_.at(got.name);
  const OpenRows::Felt felt = open == nullptr ? OpenRows::Felt{} : open->felt_at(truth);
  const std::string choice = choice_of_slots(got.name);
  if (choice.empty() || choices_.contains(choice) || got.values.size() != truth.values.size()) {
    return compare_rows(truth, got, felt);
  }
  Tap matched = got;
  matched.values = match_slots(truth, got.values);
  return compare_rows(truth, matched, felt);
}

Comparison TruthComparer::compare_rows(const Tap& truth, const Tap& got,
                                       const OpenRows::Felt& felt) {
  const std::vector<char> visible = visible_keys(truth);
  ComparisonContext context;
  context.visible = visible.empty() ? nullptr : &visible;
  context.padding = padding_.empty() ? nullptr : &padding_;
  context.largest = largest_;
  context.scale = scale_;
  context.ties = felt.rows.empty() ? nullptr : &felt.rows;
  context.all_rows = felt.all;
  context.open_choice = felt.choice;
  if (is_choice(got.name)) {
    context.scores = truth_.find(scores_of_choice(got.name));
    choices_[got.name] = got;
  }
  const std::string choice = choice_of_slots(got.name);
  if (const auto chosen = choices_.find(choice); chosen != choices_.end()) {
    context.truth_choice = truth_.find(choice);
    context.got_choice = &chosen->second;
  }
  Comparison result = compare_tap(truth, got, context);
  if (result.kind == Comparison::Kind::kReal && result.errors.sum_truth2 > 0) {
    scale_ = std::sqrt(result.errors.sum_truth2 / static_cast<double>(result.errors.count));
  }
  return result;
}

std::vector<std::string> consulted_taps(const std::string& tap) {
  if (is_scores(tap)) {
    std::vector<std::string> names = mask_taps();
    names.insert(names.begin(), probabilities_of(tap));
    return names;
  }
  if (is_choice(tap)) {
    const std::string scores = scores_of_choice(tap);
    return scores.empty() ? std::vector<std::string>{} : std::vector<std::string>{scores};
  }
  const std::string choice = choice_of_slots(tap);
  return choice.empty() ? std::vector<std::string>{} : std::vector<std::string>{choice};
}

}  // namespace assay::conformance
