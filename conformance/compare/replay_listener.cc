// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include "conformance/catalogue/inner_steps.h"
#include "conformance/catalogue/roles.h"
#include "conformance/catalogue/tap_name.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/partial_rows.h"
#include "conformance/compare/replay.h"
#include "conformance/compare/visible.h"

namespace assay::conformance {
namespace {

std::size_t last_axis(const Tap& tap) {
  return tap.shape.empty() ? 1 : tap.shape.back();
}

bool all_whole(std::span<const double> values, double most) {
  return std::ranges::all_of(values,
                             [&](double v) { return v >= 0 && v <= most && v == std::floor(v); });
}

// A mask the run can go on from: 0 or 1, and something to see in each row.
bool usable_mask(const Tap& tap, std::span<const double> got) {
  const std::size_t width = std::max<std::size_t>(last_axis(tap), 1);
  for (std::size_t start = 0; start + width <= got.size(); start += width) {
    const auto row = got.subspan(start, width);
    if (std::ranges::find(row, 1.0) == row.end()) {
      return false;
    }
  }
  return all_whole(got, 1);
}

constexpr double kLargestByte = 255;

// Bytes of an image may be any; sizes and counts say how much is computed and stay as they are.
bool usable_numbers(const Tap& tap, std::span<const double> got) {
  switch (role_of(tap.name).kind) {
    case TapRole::Kind::kByte:
      return all_whole(got, kLargestByte);
    case TapRole::Kind::kSize:
      return false;
    default:
      return all_whole(got, tap.values.empty() ? 0 : std::ranges::max(tap.values));
  }
}

// The row of the first soft-token embedding, from which on a bad value in a media item can be felt.
std::size_t first_placeholder(const CaseInput& input) {
  const auto first = std::ranges::find_if(input.token_types, [](int type) { return type != 0; });
  return static_cast<std::size_t>(first - input.token_types.begin());
}

void replace_finite(Tap& tap, std::span<const double> got) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::abs(got[i]) <= kLargestReplayed) {  // false for NaN
      tap.values[i] = got[i];
    }
  }
}

Tap with_computed_rows(Tap got, const Tap& computed) {
  const std::size_t width = got.values.size() / got.absent.size();
  for (std::size_t row = 0; row < got.absent.size(); ++row) {
    if (got.absent[row] != 0) {
      const auto first = static_cast<std::ptrdiff_t>(row * width);
      std::copy_n(computed.values.begin() + first, width, got.values.begin() + first);
    }
  }
  got.absent.clear();
  return got;
}

// What the dump has of a tap whose slots follow a choice that the run does not go on from: in the
// order of the run's own choice, by the dump's index, or without one by least error.
std::vector<double> in_order_of(const Tap& choice, const Tap* index, const Tap& tap,
                                const Tap& got) {
  if (index != nullptr) {
    if (auto aligned = align_slots(got.values, choice, index->values)) {
      return std::move(aligned->values);
    }
  }
  return match_slots(tap, got.values);
}

void use(const OpenRows::Felt& felt, ComparisonContext& context) {
  context.ties = felt.rows.empty() ? nullptr : &felt.rows;
  context.all_rows = felt.all;
  context.open_choice = felt.choice;
}

// The rows that are flagged in either.
std::vector<char> either(std::vector<char> rows, const std::vector<char>& others) {
  rows.resize(std::max(rows.size(), others.size()), 0);
  for (std::size_t row = 0; row < others.size(); ++row) {
    rows[row] = static_cast<char>(rows[row] != 0 || others[row] != 0);
  }
  return rows;
}

}  // namespace

ReplayListener::ReplayListener(const TapSet& dump, const CaseInput& input, double largest,
                               ScoreGap gap, TapFilter replaced)
    : dump_(dump),
      padding_(padding_rows(input)),
      largest_(largest),
      gap_(std::move(gap)),
      replaced_(std::move(replaced)),
      open_(input),
      first_placeholder_(first_placeholder(input)),
      poisoned_row_(input.ids.size()) {
  for (const Tap& tap : dump) {
    for (const std::string& name : consulted_taps(tap.name)) {
      helpers_.insert(name);
    }
  }
}

void ReplayListener::compare_roundings(const PrecisionClass& precision,
                                       const RoundingPoints& points) {
  rounded_to_ = &precision;
  inner_.emplace(precision, points);
}

// Choices and their scores are watched even when the dump lacks them.
bool ReplayListener::wants(const std::string& name) const {
  if (asked_.insert(name).second) {
    model_taps_.push_back(name);
  }
  return dump_.has(name) || helpers_.contains(name) || is_watched(name) || inner_.has_value();
}

bool ReplayListener::is_replaced(const std::string& name) const {
  return dump_.has(name) && !is_kept_in_float(name) && (!replaced_ || replaced_(name));
}

bool ReplayListener::is_kept_in_float(const std::string& name) const {
  return inner_ && !inner_->points().at_taps && is_sum_over_samples(name);
}

const Tap* ReplayListener::remembered(const std::string& name) const {
  const auto found = memory_.find(name);
  return found == memory_.end() ? nullptr : &found->second;
}

void ReplayListener::remember(const Tap& tap) {
  if (is_scores_of_choice(tap.name) || is_choice(tap.name) || is_mask(tap.name)) {
    memory_[tap.name] = tap;
  }
}

void ReplayListener::receive(Tap& tap) {
  if (is_scores(pending_scores_.name) && probabilities_of(pending_scores_.name) == tap.name) {
    compare_scores(visible_from_probabilities(tap));
  }
  const Tap* got = dump_.find(tap.name);
  if (inner_) {
    inner_->within(tap, got);
  }
  if (got != nullptr) {
    compare(tap, brought_to(tap, *got));
  }
  if (taken_in_as_ != nullptr && is_taken_in(tap.name)) {
    std::ranges::transform(tap.values, tap.values.begin(),
                           [&](double value) { return round_to_class(value, *taken_in_as_); });
  }
  if (is_choice(tap.name) && !is_replaced(tap.name)) {
    open_choice(tap);
  }
  if (inner_) {
    inner_->after(tap, is_replaced(tap.name));
  }
  remember(tap);
}

void ReplayListener::compare(Tap& tap, const Tap& got) {
  ComparisonContext context;
  context.padding = padding_.empty() ? nullptr : &padding_;
  context.largest = largest_;
  context.scale = scale_;
  context.rounded_to = rounded_to_;
  context.scores = remembered(scores_of(tap.name));
  const std::string choice = choice_of_slots(tap.name);
  context.truth_choice = remembered(choice);
  context.got_choice = is_replaced(choice) ? dump_.find(choice) : nullptr;
  OpenRows::Felt felt = open_.felt_at(tap);
  if (is_choice(tap.name) && !tap.shape.empty() && poisoned_row_ < tap.shape[0]) {
    std::vector<char> poisoned(tap.shape[0], 0);  // what is chosen among no numbers is no choice
    std::fill(poisoned.begin() + static_cast<std::ptrdiff_t>(poisoned_row_), poisoned.end(), 1);
    felt.rows = either(std::move(felt.rows), poisoned);
  }
  use(felt, context);
  steps_.push_back(compare_tap(tap, got, context));
  Comparison& step = steps_.back();
  step.roundings.known = !inner_ || !inner_->is_lost(tap.name);
  count_near_ties(tap, step);
  note_poison(step, got);
  if (step.kind == Comparison::Kind::kShape) {
    return;
  }
  if (is_scores(tap.name)) {
    compare_scores({});  // of a layer without probabilities
    pending_scores_ = tap;
    pending_step_ = steps_.size() - 1;
  } else if (step.kind == Comparison::Kind::kReal && step.errors.sum_truth2 > 0) {
    scale_ = std::sqrt(step.errors.sum_truth2 / static_cast<double>(step.errors.count));
  }
  if (is_replaced(tap.name) && replace(tap, got)) {
    open_.close(tap.name);
  }
}

// What the dump has, as it stands in the run. Rows that no golden has placed are placed here.
Tap ReplayListener::brought_to(const Tap& tap, const Tap& got) const {
  auto placed = placed_rows(tap, got);
  Tap brought = placed ? std::move(*placed) : got;
  const std::string choice = choice_of_slots(tap.name);
  const Tap* own = remembered(choice);
  if (own != nullptr && !is_replaced(choice) && brought.values.size() == tap.values.size()) {
    brought.values = in_order_of(*own, dump_.find(choice), tap, brought);
  }
  return brought;
}

// The scores that the dump's choice was made from: the nearest that it has.
std::string ReplayListener::scores_of(const std::string& choice) const {
  const std::string nearest = nearest_scores_of_choice(choice);
  return !nearest.empty() && dump_.has(nearest) && remembered(nearest) != nullptr
             ? nearest
             : scores_of_choice(choice);
}

void ReplayListener::count_near_ties(const Tap& choice, Comparison& step) const {
  const Tap* scores = remembered(step.scores);
  if (step.kind == Comparison::Kind::kChoice && scores != nullptr && gap_) {
    const auto rows = near_ties(choice, *scores, gap_(step.scores, rms(scores->values)));
    step.choice.near = static_cast<std::size_t>(std::ranges::count(rows, char{1}));
  }
}

void ReplayListener::note_poison(const Comparison& step, const Tap& got) {
  if (step.errors.bad() == 0) {
    return;
  }
  if (!media_prefix(step.tap).empty()) {
    poisoned_row_ = std::min(poisoned_row_, first_placeholder_);
    return;
  }
  const auto& shape = step.errors.shape;
  const bool has_rows = !shape.empty() && stage_of(step.tap) != Stage::kDraft;
  const std::size_t width = has_rows ? got.values.size() / shape[0] : got.values.size();
  poisoned_row_ = std::min(poisoned_row_, step.errors.first_bad / width);
}

void ReplayListener::compare_scores(const std::vector<char>& visible) {
  if (pending_scores_.name.empty()) {
    return;
  }
  const Tap truth = std::exchange(pending_scores_, Tap{});
  std::vector<const Tap*> masks;
  for (const std::string& mask : mask_taps()) {
    masks.push_back(remembered(mask));
  }
  const std::vector<char> masked =
      visible.empty() ? visible_from_masks(masks, truth.shape) : visible;
  ComparisonContext context;
  context.visible = &masked;
  context.padding = padding_.empty() ? nullptr : &padding_;
  context.largest = largest_;
  const OpenRows::Felt felt = open_.felt_at(truth);
  use(felt, context);
  const Tap& got = dump_.at(truth.name);
  const auto placed = placed_rows(truth, got);
  const bool known = steps_[pending_step_].roundings.known;
  context.rounded_to = rounded_to_;
  steps_[pending_step_] = compare_tap(truth, placed ? *placed : got, context);
  steps_[pending_step_].roundings.known = known;
}

// The dump does not say what it chose: rows in which it may have chosen otherwise stay open.
void ReplayListener::open_choice(const Tap& choice) {
  std::vector<char> rows;
  const std::string scores_name = scores_of(choice.name);
  const Tap* scores = remembered(scores_name);
  if (const Tap* seen = dump_.find(choice.name);
      seen != nullptr && seen->values.size() == choice.values.size()) {
    rows = measure_choice(choice, seen->values, nullptr).rows;
  } else if (scores != nullptr && gap_) {
    rows = near_ties(choice, *scores, gap_(scores_name, rms(scores->values)));
  }
  open_.open(choice.name, rows);
}

// Only what the run can go on from is put in; rows that the dump does not hold stay computed.
bool ReplayListener::replace(Tap& tap, const Tap& got) {
  if (!got.absent.empty()) {
    return replace(tap, with_computed_rows(got, tap));
  }
  bool usable = true;
  if (is_choice(tap.name)) {
    return replace_choice(tap, got);
  }
  if (is_mask(tap.name)) {
    usable = usable_mask(tap, got.values);
  } else if (is_discrete(tap)) {
    usable = usable_numbers(tap, got.values);
  } else {
    replace_finite(tap, got.values);
    return true;
  }
  if (usable) {
    tap.values = got.values;
  }
  return usable;
}

// Rows that name no choice stay computed, and what follows from them stays open.
bool ReplayListener::replace_choice(Tap& tap, const Tap& got) {
  const Tap* scores = remembered(scores_of_choice(tap.name));
  const std::size_t width = last_axis(tap);
  if (scores == nullptr || got.values.size() != tap.values.size() || width == 0) {
    return false;
  }
  std::vector<char> invalid(tap.values.size() / width, 0);
  for (std::size_t row = 0; row < invalid.size(); ++row) {
    const auto entries = std::span(got.values).subspan(row * width, width);
    if (valid_choice(entries, width, last_axis(*scores))) {
      std::ranges::copy(entries, tap.values.begin() + static_cast<std::ptrdiff_t>(row * width));
    } else {
      invalid[row] = 1;
    }
  }
  open_.open(tap.name, invalid);
  return true;
}

std::vector<Comparison>& ReplayListener::finish() {
  check();
  compare_scores({});
  return steps_;
}

}  // namespace assay::conformance
