// SPDX-License-Identifier: Apache-2.0
// A tap as the suite keeps it: values in fp64, whatever they were computed in.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"

namespace assay::conformance {

// A named tensor at an exact place of the computation (`assay taps` prints the catalogue).
// Values are row-major. Integer taps (ids, masks, expert choices) hold integers.
struct Tap {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<double> values;
  bool integer = false;
  std::string stored = {};  // the type the file has it in, as "U16"; empty: not said
  // Rows of the leading axis that a dump does not hold, whose values are NaN; empty: it holds all.
  std::vector<char> absent = {};
};

Tap to_tap(const TensorView& view);

// Writes the tap's values where the view takes other ones, rounded to its dtype; does nothing where
// it takes none. Throws Error for another number of values, and for integers that do not fit.
void write_forced(const Tap& tap, const TensorView& view);

// Shows a tap to a listener, as f64 or i32, and takes over what the listener makes of its values.
void hand_over(TapListener& listener, Tap& tap);

}  // namespace assay::conformance
