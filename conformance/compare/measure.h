// SPDX-License-Identifier: Apache-2.0
// Numbers about two tensors. Knows no tolerance.
//
//   e = got - truth       relL2 = sqrt( sum e^2 / sum truth^2 )       row: the last axis
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "conformance/records/tap.h"

namespace assay::conformance {

// Which elements are compared.
struct Selection {
  std::vector<char> keep;  // per element; empty: all
  // Beyond it (the class's largest number) an infinity of the right sign is right.
  double largest = std::numeric_limits<double>::infinity();
  // Rows smaller than the tensor's rms are measured against it: for values that act by their size
  // and not by that of their row, as scores do. A lone score near zero has no relative accuracy.
  bool rows_by_rms = false;

  bool has(std::size_t element) const { return keep.empty() || keep[element] != 0; }
  // Leaves out all elements of the given rows of the leading axis.
  void drop_rows(const Tap& tap, const std::vector<char>& rows);
};

struct Errors {
  std::vector<std::size_t> shape;  // the truth's
  std::size_t count = 0;           // compared elements
  double sum_e = 0;
  double sum_e2 = 0;
  double sum_truth2 = 0;
  double sum_got2 = 0;
  double cosine = std::numeric_limits<double>::quiet_NaN();

  double max_abs = 0;
  std::size_t worst = 0;  // flat index of max_abs
  double got = 0;
  double want = 0;

  double worst_row = 0;  // relative L2 of the worst row
  std::size_t worst_row_at = 0;
  double worst_row_rms = 0;  // of its truth
  // Relative error per row of the leading axis, against its own size or that of the tensor where
  // it has none.
  std::vector<double> by_row;

  std::size_t nan = 0;       // got is not a number where the truth is one
  std::size_t infinite = 0;  // got is infinite where the truth is finite, or of the other sign
  std::size_t first_bad = 0;
  std::size_t truth_not_finite = 0;
  std::size_t bad_padding = 0;  // values that are no numbers in rows that hold no token
  std::size_t first_bad_padding = 0;

  // Probabilities only.
  std::size_t leaks = 0;  // hidden keys with a probability
  std::size_t first_leak = 0;
  double leak = 0;
  double worst_sum = 0;    // largest |1 - sum of a row|
  double worst_range = 0;  // farthest outside [0, 1]

  // The size of what goes in, for a truth that is all zero.
  double scale = 1;

  double rel_l2() const;  // 0 / 0 is 0; infinite when only the truth is all zero
  double peak() const;    // max|e| / (rms(e) sqrt(2 ln N))
  std::size_t bad() const { return nan + infinite; }
};

// `got` has the truth's elements in the truth's order.
Errors measure(const Tap& truth, std::span<const double> got, const Selection& selection = {});

// Adds what holds for probabilities: 0 at keys that are not `visible` (of the truth's size; empty:
// where the truth is 0), rows that sum to 1. Where rows of the truth sum to less, padding that no
// tap shows has a share (vision.pad_mask=additive_bool), and no row has a sum to keep.
void measure_probabilities(const Tap& truth, std::span<const double> got,
                           const std::vector<char>& visible, const Selection& selection,
                           Errors& errors);

// A tap of integers against another, element by element.
struct Mismatches {
  std::vector<std::size_t> shape;
  std::size_t count = 0;
  std::size_t different = 0;
  std::size_t first = 0;
  double got = 0;
  double want = 0;
};
Mismatches measure_equal(const Tap& truth, std::span<const double> got,
                         const Selection& selection = {});

double rms(std::span<const double> values);

// The index of a flat position.
std::vector<std::size_t> unravel(std::size_t position, const std::vector<std::size_t>& shape);

}  // namespace assay::conformance
