// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/measure.h"

#include <algorithm>
#include <cmath>

#include "conformance/compare/constants.h"

namespace assay::conformance {
namespace {

std::size_t row_width(const std::vector<std::size_t>& shape) {
  return shape.empty() ? 1 : std::max<std::size_t>(shape.back(), 1);
}

// Whether the pair can be subtracted; counts the reasons when it cannot.
bool comparable(double truth, double got, std::size_t at, double largest, Errors& errors) {
  if (std::isfinite(truth) && std::isfinite(got)) {
    return true;
  }
  if (std::isnan(truth)) {
    ++errors.truth_not_finite;
    return false;
  }
  const bool infinite = std::isinf(truth) || std::abs(truth) > largest;
  if (infinite && std::isinf(got) && std::signbit(got) == std::signbit(truth)) {
    return false;  // the truth's own infinity, or an overflow that the class has to make
  }
  if (errors.bad() == 0) {
    errors.first_bad = at;
  }
  ++(std::isnan(got) ? errors.nan : errors.infinite);
  return false;
}

struct RowSums {
  double e2 = 0;
  double truth2 = 0;
  std::size_t count = 0;
};

void add_element(double truth, double got, std::size_t at, RowSums& row, Errors& errors) {
  const double e = got - truth;
  row.e2 += e * e;
  row.truth2 += truth * truth;
  ++row.count;
  errors.sum_e += e;
  errors.sum_got2 += got * got;
  if (std::abs(e) > errors.max_abs || (errors.count == 0 && row.count == 1)) {
    errors.max_abs = std::abs(e);
    errors.worst = at;
    errors.got = got;
    errors.want = truth;
  }
}

// A row whose truth is all zero is measured against the whole tensor's size.
void find_worst_row(const std::vector<RowSums>& rows, bool by_rms, Errors& errors) {
  const double mean2 =
      errors.count == 0 ? 0 : errors.sum_truth2 / static_cast<double>(errors.count);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].e2 == 0) {
      continue;
    }
    const double usual2 = mean2 * static_cast<double>(rows[r].count);
    const bool small = by_rms ? rows[r].truth2 < usual2 : rows[r].truth2 == 0;
    const double size2 = small ? usual2 : rows[r].truth2;
    const double error = std::sqrt(rows[r].e2 / size2);
    if (error > errors.worst_row) {
      errors.worst_row = error;
      errors.worst_row_at = r;
      errors.worst_row_rms = std::sqrt(size2 / static_cast<double>(rows[r].count));
    }
  }
}

// `rows` are of the last axis.
void measure_by_row(const std::vector<RowSums>& rows, Errors& errors) {
  if (errors.shape.size() < 2 || errors.shape[0] == 0 || rows.size() % errors.shape[0] != 0) {
    return;
  }
  const double mean2 =
      errors.count == 0 ? 0 : errors.sum_truth2 / static_cast<double>(errors.count);
  const std::size_t each = rows.size() / errors.shape[0];
  errors.by_row.assign(errors.shape[0], 0);
  for (std::size_t row = 0; row < errors.by_row.size(); ++row) {
    RowSums sums;
    for (std::size_t r = row * each; r < (row + 1) * each; ++r) {
      sums.e2 += rows[r].e2;
      sums.truth2 += rows[r].truth2;
      sums.count += rows[r].count;
    }
    const double size2 = sums.truth2 > 0 ? sums.truth2 : mean2 * static_cast<double>(sums.count);
    errors.by_row[row] = sums.e2 == 0 ? 0 : std::sqrt(sums.e2 / size2);
  }
}

// 1 - 1/2 sum (got/|got| - truth/|truth|)^2: keeps its digits near 1.
double cosine_of(const Tap& truth, std::span<const double> got, const Selection& selection,
                 const Errors& errors) {
  if (errors.sum_truth2 == 0 || errors.sum_got2 == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double of_truth = 1 / std::sqrt(errors.sum_truth2);
  const double of_got = 1 / std::sqrt(errors.sum_got2);
  double distance = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (selection.has(i) && std::isfinite(got[i]) && std::isfinite(truth.values[i])) {
      const double d = got[i] * of_got - truth.values[i] * of_truth;
      distance += d * d;
    }
  }
  return 1 - distance / 2;
}

}  // namespace

void Selection::drop_rows(const Tap& tap, const std::vector<char>& rows) {
  if (tap.shape.empty() || tap.shape[0] != rows.size() ||
      std::ranges::none_of(rows, [](char r) { return r != 0; })) {
    return;
  }
  keep.resize(tap.values.size(), 1);
  const std::size_t width = tap.values.size() / std::max<std::size_t>(rows.size(), 1);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r] != 0) {
      std::fill_n(keep.begin() + static_cast<std::ptrdiff_t>(r * width), width, char{0});
    }
  }
}

double Errors::rel_l2() const {
  return sum_e2 == 0 ? 0 : std::sqrt(sum_e2 / sum_truth2);
}

double Errors::peak() const {
  if (count < kPeakMinimum || sum_e2 == 0) {
    return 0;
  }
  const double n = static_cast<double>(count);
  return max_abs / (std::sqrt(sum_e2 / n) * std::sqrt(2 * std::log(n)));
}

Errors measure(const Tap& truth, std::span<const double> got, const Selection& selection) {
  Errors errors;
  errors.shape = truth.shape;
  const std::size_t width = row_width(truth.shape);
  std::vector<RowSums> rows((got.size() + width - 1) / width);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = r * width; i < std::min((r + 1) * width, got.size()); ++i) {
      if (selection.has(i) && comparable(truth.values[i], got[i], i, selection.largest, errors)) {
        add_element(truth.values[i], got[i], i, rows[r], errors);
      }
    }
    errors.sum_e2 += rows[r].e2;
    errors.sum_truth2 += rows[r].truth2;
    errors.count += rows[r].count;
  }
  find_worst_row(rows, selection.rows_by_rms, errors);
  measure_by_row(rows, errors);
  errors.cosine = cosine_of(truth, got, selection, errors);
  return errors;
}

void measure_probabilities(const Tap& truth, std::span<const double> got,
                           const std::vector<char>& visible, const Selection& selection,
                           Errors& errors) {
  const std::size_t width = row_width(truth.shape);
  double worst_sum = 0;
  bool partial = false;
  for (std::size_t start = 0; start + width <= got.size(); start += width) {
    if (!selection.has(start)) {  // rows are left out whole
      continue;
    }
    double sum = 0;
    double wanted = 0;
    for (std::size_t i = start; i < start + width; ++i) {
      const bool hidden = visible.empty() ? truth.values[i] == 0 : visible[i] == 0;
      if (hidden && std::abs(got[i]) > kSmallestLeak) {
        if (errors.leaks++ == 0) {
          errors.first_leak = i;
          errors.leak = got[i];
        }
      }
      errors.worst_range = std::max({errors.worst_range, -got[i], got[i] - 1});
      sum += got[i];
      wanted += truth.values[i];
    }
    worst_sum = std::max(worst_sum, std::abs(sum - wanted));
    partial = partial || (wanted > 0 && wanted < 1 - kWholeRow);
  }
  errors.worst_sum = partial ? 0 : worst_sum;
}

Mismatches measure_equal(const Tap& truth, std::span<const double> got,
                         const Selection& selection) {
  Mismatches found;
  found.shape = truth.shape;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!selection.has(i)) {
      continue;
    }
    ++found.count;
    if (got[i] != truth.values[i] && found.different++ == 0) {
      found.first = i;
      found.got = got[i];
      found.want = truth.values[i];
    }
  }
  return found;
}

double rms(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) {
    sum += v * v;
  }
  return values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
}

std::vector<std::size_t> unravel(std::size_t position, const std::vector<std::size_t>& shape) {
  std::vector<std::size_t> index(shape.size(), 0);
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const std::size_t size = std::max<std::size_t>(shape[axis], 1);
    index[axis] = position % size;
    position /= size;
  }
  return index;
}

}  // namespace assay::conformance
