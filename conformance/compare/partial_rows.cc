// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/partial_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/shapes.h"

namespace assay::conformance {
namespace {

bool has_row_per_token(const Tap& truth) {
  const auto match = find_tap(truth.name);
  return match && match->entry->shape.starts_with("[T, ") && truth.shape.size() >= 2;
}

std::size_t width_of(const Tap& truth) {
  return truth.values.size() / truth.shape[0];
}

// How many whole rows of a row's width `got` has, where those are more or fewer than the truth's;
// 0: no such rows, or as many.
std::size_t other_rows(const Tap& truth, const Tap& got) {
  if (!has_row_per_token(truth) || truth.shape[0] == 0 || truth.values.empty()) {
    return 0;
  }
  const std::size_t width = width_of(truth);
  if (got.values.size() % width != 0) {
    return 0;
  }
  Shape shape = truth.shape;
  shape[0] = got.values.size() / width;
  const bool keys = shape.size() == 2 && is_mask(truth.name);  // whose columns are rows, too
  return shape[0] != truth.shape[0] && !keys && shapes_agree(got.shape, shape) ? shape[0] : 0;
}

// Relative L2 of `count` elements; numbers that are none count as far off.
double distance(const Tap& truth, std::size_t from, const Tap& got, std::size_t first,
                std::size_t count) {
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double want = truth.values[from + i];
    const double e = got.values[first + i] - want;
    error += std::isfinite(e) ? e * e : want * want;
    size += std::isfinite(want) ? want * want : 0;
  }
  return error == 0 ? 0 : std::sqrt(error / size);
}

// The common rows at one end.
double distance(const Tap& truth, const Tap& got, RowEnd end) {
  const std::size_t all = truth.values.size();
  const std::size_t held = got.values.size();
  const std::size_t count = std::min(all, held);
  return end == RowEnd::kFirst ? distance(truth, 0, got, 0, count)
                               : distance(truth, all - count, got, held - count, count);
}

}  // namespace

std::optional<RowEnd> end_of_rows(const Tap& truth, const Tap& got) {
  const std::size_t rows = other_rows(truth, got);
  if (rows == 0) {
    return std::nullopt;
  }
  const double from_end = distance(truth, got, RowEnd::kLast);
  const double from_start = distance(truth, got, RowEnd::kFirst);
  if (std::min(from_start, from_end) > kNearRows) {
    return rows == 1 ? std::optional(RowEnd::kLast) : std::nullopt;
  }
  return from_start < from_end ? RowEnd::kFirst : RowEnd::kLast;
}

std::optional<Tap> place_rows(const Tap& truth, const Tap& got, RowEnd end) {
  const std::size_t rows = other_rows(truth, got);
  if (rows == 0) {
    return std::nullopt;
  }
  Tap tap = got;
  tap.shape = truth.shape;
  if (rows > truth.shape[0]) {  // padding goes
    const auto first = end == RowEnd::kFirst ? 0 : got.values.size() - truth.values.size();
    const auto begin = got.values.begin() + static_cast<std::ptrdiff_t>(first);
    tap.values.assign(begin, begin + static_cast<std::ptrdiff_t>(truth.values.size()));
    return tap;
  }
  const std::size_t row = end == RowEnd::kFirst ? 0 : truth.shape[0] - rows;
  tap.values.assign(truth.values.size(), std::numeric_limits<double>::quiet_NaN());
  std::ranges::copy(got.values,
                    tap.values.begin() + static_cast<std::ptrdiff_t>(row * width_of(truth)));
  tap.absent.assign(truth.shape[0], 1);
  std::fill_n(tap.absent.begin() + static_cast<std::ptrdiff_t>(row), rows, char{0});
  return tap;
}

std::optional<Tap> placed_rows(const Tap& truth, const Tap& got) {
  const auto end = end_of_rows(truth, got);
  return end ? place_rows(truth, got, *end) : std::nullopt;
}

std::string describe_padding(const Tap& truth, const Tap& got, RowEnd end) {
  return "holds " + std::to_string(got.values.size() / width_of(truth)) + " rows, of which the " +
         (end == RowEnd::kFirst ? "first " : "last ") + std::to_string(truth.shape[0]) +
         " are the case's; the others are taken for padding";
}

std::string describe_rows(const Tap& placed) {
  const auto held = static_cast<std::size_t>(std::ranges::count(placed.absent, char{0}));
  const std::string end = placed.absent.front() == 0 ? "first" : "last";
  const std::string of = " of " + std::to_string(placed.absent.size()) + " rows and is judged by ";
  return held == 1 ? "holds the " + end + of + "it"
                   : "holds the " + end + " " + std::to_string(held) + of + "them";
}

}  // namespace assay::conformance
