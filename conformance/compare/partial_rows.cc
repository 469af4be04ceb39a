// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/partial_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

bool has_row_per_token(const Tap& truth) {
  const auto match = find_tap(truth.name);
  return match && match->entry->shape.starts_with("[T, ") && truth.shape.size() >= 2;
}

// How many whole rows of the truth `got` may be; 0: none, or all of them.
std::size_t rows_of(const Tap& truth, const Tap& got) {
  if (!has_row_per_token(truth) || truth.shape[0] == 0) {
    return 0;
  }
  const std::size_t width = truth.values.size() / truth.shape[0];
  if (width == 0 || got.values.size() % width != 0) {
    return 0;
  }
  Shape shape = truth.shape;
  shape[0] = got.values.size() / width;
  return shape[0] < truth.shape[0] && shapes_agree(got.shape, shape) ? shape[0] : 0;
}

// Relative L2 of `got` against the truth's elements from `first` on; numbers that are none count as
// far off.
double distance(const Tap& truth, const Tap& got, std::size_t first) {
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < got.values.size(); ++i) {
    const double want = truth.values[first + i];
    const double e = got.values[i] - want;
    error += std::isfinite(e) ? e * e : want * want;
    size += std::isfinite(want) ? want * want : 0;
  }
  return error == 0 ? 0 : std::sqrt(error / size);
}

Tap put(const Tap& truth, const Tap& got, std::size_t row, std::size_t rows) {
  Tap tap = got;
  const std::size_t width = truth.values.size() / truth.shape[0];
  tap.shape = truth.shape;
  tap.values.assign(truth.values.size(), std::numeric_limits<double>::quiet_NaN());
  std::ranges::copy(got.values, tap.values.begin() + static_cast<std::ptrdiff_t>(row * width));
  tap.absent.assign(truth.shape[0], 1);
  std::fill_n(tap.absent.begin() + static_cast<std::ptrdiff_t>(row), rows, char{0});
  return tap;
}

}  // namespace

std::optional<Tap> placed_rows(const Tap& truth, const Tap& got) {
  const std::size_t rows = rows_of(truth, got);
  if (rows == 0) {
    return std::nullopt;
  }
  const std::size_t last = truth.shape[0] - rows;
  const std::size_t width = truth.values.size() / truth.shape[0];
  const double from_end = distance(truth, got, last * width);
  const double from_start = distance(truth, got, 0);
  if (std::min(from_start, from_end) > kNearRows && rows > 1) {
    return std::nullopt;
  }
  return put(truth, got, from_start < from_end && from_start <= kNearRows ? 0 : last, rows);
}

std::string describe_rows(const Tap& placed) {
  const auto held = static_cast<std::size_t>(std::ranges::count(placed.absent, char{0}));
  const std::string end = placed.absent.front() == 0 ? "first" : "last";
  const std::string of = " of " + std::to_string(placed.absent.size()) + " rows and is judged by ";
  return held == 1 ? "holds the " + end + of + "it"
                   : "holds the " + end + " " + std::to_string(held) + of + "them";
}

}  // namespace assay::conformance
