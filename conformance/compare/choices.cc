// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/choices.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace assay::conformance {
namespace {

using Row = std::span<const double>;

// Members of a that b lacks.
std::vector<double> only_in(Row a, Row b) {
  std::vector<double> rest;
  std::ranges::copy_if(a, std::back_inserter(rest),
                       [&](double x) { return std::ranges::find(b, x) == b.end(); });
  return rest;
}

double score_at(Row scores, double index) {
  const bool inside = index >= 0 && index < static_cast<double>(scores.size());
  return inside ? scores[static_cast<std::size_t>(index)] : -HUGE_VAL;
}

double regret_of(Row truth, Row got, Row scores) {
  double missed = -HUGE_VAL;
  for (const double index : only_in(truth, got)) {
    missed = std::max(missed, score_at(scores, index));
  }
  double taken = HUGE_VAL;
  for (const double index : only_in(got, truth)) {
    taken = std::min(taken, score_at(scores, index));
  }
  return missed - taken;
}

bool same_set(Row truth, Row got) {
  return only_in(truth, got).empty() && only_in(got, truth).empty();
}

std::size_t last_axis(const Tap& tap) {
  return tap.shape.empty() || tap.shape.back() == 0 ? 1 : tap.shape.back();
}

}  // namespace

ChoiceErrors measure_choice(const Tap& truth, std::span<const double> got, const Tap* scores,
                            const Selection& selection) {
  ChoiceErrors errors;
  const std::size_t width = last_axis(truth);
  const std::size_t rows = truth.values.size() / width;
  errors.sets.shape = truth.shape;
  errors.rows.assign(rows, 0);
  const std::size_t score_width = scores == nullptr ? 0 : last_axis(*scores);
  errors.scored = scores != nullptr && scores->values.size() == rows * score_width;
  errors.score_rms = errors.scored ? rms(scores->values) : 0;
  for (std::size_t r = 0; r < rows; ++r) {
    if (!selection.has(r * width)) {
      continue;
    }
    ++errors.sets.count;
    const Row want = Row(truth.values).subspan(r * width, width);
    const Row have = got.subspan(r * width, width);
    if (same_set(want, have)) {
      continue;
    }
    errors.rows[r] = 1;
    if (errors.sets.different++ == 0) {
      errors.sets.first = r * width;
      const auto missing = only_in(want, have);
      const auto extra = only_in(have, want);
      errors.sets.want = missing.empty() ? want[0] : missing[0];
      errors.sets.got = extra.empty() ? have[0] : extra[0];
    }
    if (errors.scored) {
      const Row row = Row(scores->values).subspan(r * score_width, score_width);
      errors.regrets.push_back(regret_of(want, have, row));
      errors.worst_regret = std::max(errors.worst_regret, errors.regrets.back());
    }
  }
  return errors;
}

std::vector<char> near_ties(const Tap& choice, const Tap& scores, double gap) {
  const std::size_t k = last_axis(choice);
  const std::size_t width = last_axis(scores);
  const std::size_t rows = choice.values.size() / k;
  std::vector<char> near(rows, 0);
  if (k >= width || scores.values.size() != rows * width) {
    return near;
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const auto start = scores.values.begin() + static_cast<std::ptrdiff_t>(r * width);
    std::vector<double> row(start, start + static_cast<std::ptrdiff_t>(width));
    std::ranges::nth_element(row, row.begin() + static_cast<std::ptrdiff_t>(k), std::greater<>());
    const double first_out = row[k];
    const double last_in =
        *std::min_element(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(k));
    near[r] = static_cast<char>(last_in - first_out <= gap);
  }
  return near;
}

bool valid_choice(std::span<const double> got, std::size_t row_size, std::size_t scores) {
  if (row_size == 0 || got.size() % row_size != 0) {
    return false;
  }
  for (std::size_t start = 0; start < got.size(); start += row_size) {
    std::set<double> seen;
    for (const double index : got.subspan(start, row_size)) {
      const bool whole =
          index >= 0 && index < static_cast<double>(scores) && index == std::floor(index);
      if (!whole || !seen.insert(index).second) {
        return false;
      }
    }
  }
  return true;
}

std::optional<Aligned> align_slots(std::span<const double> got, const Tap& truth_choice,
                                   std::span<const double> got_choice) {
  const std::size_t k = last_axis(truth_choice);
  const std::size_t rows = truth_choice.values.size() / k;
  if (got_choice.size() != rows * k || rows == 0 || got.size() % (rows * k) != 0) {
    return std::nullopt;
  }
  const std::size_t width = got.size() / (rows * k);
  Aligned aligned{std::vector<double>(got.begin(), got.end()), std::vector<char>(rows, 0)};
  for (std::size_t r = 0; r < rows; ++r) {
    const Row want = Row(truth_choice.values).subspan(r * k, k);
    const Row have = got_choice.subspan(r * k, k);
    if (!same_set(want, have)) {
      aligned.rows[r] = 1;
      continue;
    }
    for (std::size_t slot = 0; slot < k; ++slot) {
      const auto from =
          static_cast<std::size_t>(std::ranges::find(have, want[slot]) - have.begin());
      std::copy_n(got.begin() + static_cast<std::ptrdiff_t>((r * k + from) * width), width,
                  aligned.values.begin() + static_cast<std::ptrdiff_t>((r * k + slot) * width));
    }
  }
  return aligned;
}

}  // namespace assay::conformance
