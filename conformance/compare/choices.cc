// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/choices.h"

#include <algorithm>
#include <bit>
#include <cmath>

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

// The first entry that is no index below `scores` (0: not known), or stands there twice.
std::optional<std::size_t> invalid_at(Row row, std::size_t scores) {
  const double end = scores == 0 ? HUGE_VAL : static_cast<double>(scores);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool whole = row[i] >= 0 && row[i] < end && row[i] == std::floor(row[i]);
    const bool again =
        std::ranges::find(row.first(i), row[i]) != row.begin() + static_cast<std::ptrdiff_t>(i);
    if (!whole || again) {
      return i;
    }
  }
  return std::nullopt;
}

constexpr std::size_t kMostMatched = 12;

// Squared distances [k, k] of each slot of the truth to each that the dump has, by the values that
// are numbers.
std::vector<double> slot_distances(Row want, Row have, std::size_t k) {
  const std::size_t width = want.size() / k;
  std::vector<double> distances(k * k, 0);
  for (std::size_t i = 0; i < k * k; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      const double e = want[i / k * width + j] - have[i % k * width + j];
      distances[i] += std::isfinite(e) ? e * e : 0;
    }
  }
  return distances;
}

// For each slot of the truth the slot that is put there, so that the sum of distances is least. Of
// the subsets of slots, each is extended by one slot at a time: 2^k k steps. Where that is too
// many, each slot takes the nearest that is left.
std::vector<std::size_t> nearest_order(const std::vector<double>& distances, std::size_t k) {
  std::vector<std::size_t> order(k);
  if (k > kMostMatched) {
    std::vector<char> taken(k, 0);
    for (std::size_t slot = 0; slot < k; ++slot) {
      std::size_t best = k;
      for (std::size_t j = 0; j < k; ++j) {
        if (taken[j] == 0 && (best == k || distances[slot * k + j] < distances[slot * k + best])) {
          best = j;
        }
      }
      taken[best] = 1;
      order[slot] = best;
    }
    return order;
  }
  const std::size_t subsets = std::size_t{1} << k;
  std::vector<double> least(subsets, HUGE_VAL);
  std::vector<std::size_t> last(subsets, 0);
  least[0] = 0;
  for (std::size_t set = 0; set + 1 < subsets; ++set) {
    const auto slot = static_cast<std::size_t>(std::popcount(set));
    for (std::size_t j = 0; j < k; ++j) {
      const std::size_t next = set | (std::size_t{1} << j);
      if (next != set && least[set] + distances[slot * k + j] < least[next]) {
        least[next] = least[set] + distances[slot * k + j];
        last[next] = j;
      }
    }
  }
  std::size_t set = subsets - 1;
  for (std::size_t slot = k; slot-- > 0;) {
    order[slot] = last[set];
    set &= ~(std::size_t{1} << last[set]);
  }
  return order;
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
    if (const auto bad = invalid_at(have, score_width)) {
      errors.rows[r] = 1;
      ++errors.sets.different;
      errors.worst_regret = HUGE_VAL;
      if (errors.invalid++ == 0) {
        errors.first_invalid = r * width + *bad;
        errors.invalid_index = have[*bad];
      }
      continue;
    }
    if (same_set(want, have)) {
      continue;
    }
    errors.rows[r] = 1;
    if (++errors.sets.different == errors.invalid + 1) {
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
    if (invalid_at(got.subspan(start, row_size), std::max<std::size_t>(scores, 1))) {
      return false;
    }
  }
  return true;
}

std::vector<double> match_slots(const Tap& truth, std::span<const double> got) {
  std::vector<double> matched(got.begin(), got.end());
  if (truth.shape.size() < 2 || got.size() != truth.values.size() || got.empty()) {
    return matched;
  }
  const std::size_t k = truth.shape[1];
  const std::size_t rows = truth.shape[0];
  const std::size_t width = got.size() / (rows * k);
  for (std::size_t row = 0; row < rows; ++row) {
    const Row want = Row(truth.values).subspan(row * k * width, k * width);
    const Row have = got.subspan(row * k * width, k * width);
    const auto order = nearest_order(slot_distances(want, have, k), k);
    for (std::size_t slot = 0; slot < k; ++slot) {
      std::ranges::copy(have.subspan(order[slot] * width, width),
                        matched.begin() + static_cast<std::ptrdiff_t>((row * k + slot) * width));
    }
  }
  return matched;
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
