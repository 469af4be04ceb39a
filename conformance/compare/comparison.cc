// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/comparison.h"

#include <algorithm>
#include <cmath>

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

Errors measure_real(const Tap& truth, const Tap& got, const ComparisonContext& context,
                    Selection& selection) {
  if (context.truth_choice != nullptr && context.got_choice != nullptr) {
    const auto aligned = align_slots(got.values, *context.truth_choice, context.got_choice->values);
    if (aligned) {
      selection.drop_rows(truth, aligned->rows);
      return measure(truth, aligned->values, selection);
    }
  }
  Errors errors = measure(truth, got.values, selection);
  if (is_probabilities(truth.name)) {
    static const std::vector<char> kUnknown;
    const auto& visible = context.visible != nullptr ? *context.visible : kUnknown;
    measure_probabilities(truth, got.values, visible, selection, errors);
  }
  return errors;
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
  result.some_rows = !got.absent.empty();
  if (context.ties != nullptr) {
    result.left_out = context.all_rows ? context.ties->size() : flagged(*context.ties);
  }
  if (is_choice(truth.name)) {
    result.kind = Comparison::Kind::kChoice;
    result.choice = measure_choice(truth, got.values, context.scores, selection);
  } else if (is_discrete(truth)) {
    result.kind = Comparison::Kind::kExact;
    result.exact = measure_equal(truth, got.values, selection);
  } else {
    result.errors = measure_real(truth, got, context, selection);
    result.errors.scale = context.scale;
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

Comparison TruthComparer::compare(const Tap& got) {
  const Tap& truth = truth_.at(got.name);
  const std::vector<char> visible = visible_keys(truth);
  ComparisonContext context;
  context.visible = visible.empty() ? nullptr : &visible;
  context.padding = padding_.empty() ? nullptr : &padding_;
  context.largest = largest_;
  context.scale = scale_;
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
