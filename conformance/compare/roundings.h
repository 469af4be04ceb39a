// SPDX-License-Identifier: Apache-2.0
// 16-bit values against the formula in fp64, by the number each was rounded to.
//
//   y' = F(the dump's own inputs)     r = R_c(y')     differs: got != r, and got is no tie of y'
//   excess = ( |got - y'| - ulp_c(y') / 2 ) / ( 2^-24 max(|y'|, rms(y')) )
//
// A value that was right to fp32 accuracy before it was rounded lands on another number only where
// y' lies within that accuracy of a boundary: in few elements, by little. So the decision of each
// rounding tells of errors far below the class's own roundoff, which relative L2 drowns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "conformance/compare/measure.h"
#include "conformance/compare/precision.h"
#include "conformance/compare/verdict.h"
#include "conformance/records/tap.h"

namespace assay::conformance {

struct Roundings {
  std::size_t count = 0;  // compared elements; 0: not compared
  std::size_t different = 0;
  std::size_t toward_zero = 0;  // of those, got the smaller number
  double excess = 0;            // the largest
  std::size_t worst = 0;
  std::size_t beyond_frame = 0;  // of those, by more than an FFT in fp32 is off
  std::size_t in_channel = 0;    // the most that one channel has: all axes but the first
  std::size_t in_row = 0;        // the most that one row of the first axis has
  std::size_t rows = 0;
  std::size_t channels = 0;
  // Of e truth, its square, and truth^2: what is a number of the class is off R_c(y'), else y'.
  double sum_e_truth = 0;
  double sum_e_truth2 = 0;
  double sum_truth2 = 0;
  bool before_model = false;  // made before a model runs, in fp32 or in the class
  bool of_class = true;       // every value compared is a number of the class
  bool known = true;          // the rounding points within the step are
  bool single = true;         // nothing is rounded between the step's inputs and its end
  bool fused = false;         // y' is that of a program with fused attention
  std::uint64_t digest = 0;   // of y'

  double share() const;
};

Roundings measure_roundings(const Tap& truth, std::span<const double> got,
                            const PrecisionClass& precision, const Selection& selection = {});

// Of an fp32 program's values before they are rounded. It tells of sums that cancel, whether or not
// one of them happens to lie near a boundary.
struct FloatSpread {
  double largest = 0;  // max |got - y'| / ( 2^-24 max(|y'|, rms(y')) )
  double share = 0;    // mean |got - y'| / ulp_c(y'): how many fall on another number, on average
};

FloatSpread measure_spread(std::span<const double> truth, std::span<const double> got,
                           const PrecisionClass& precision);

// What honest programs differ by at a kind of tap, the largest of each.
struct RoundingFloor {
  double share = 0;
  double excess = 0;
  FloatSpread spread = {};  // before they are rounded
  std::size_t in_channel = 0;
  std::size_t in_row = 0;

  void raise(const Roundings& roundings);
  void raise(const FloatSpread& unrounded);
  void raise(const RoundingFloor& other);
};

// Fails a tap (ROUNDING) whose values are rounded to other numbers than the formula's: too many of
// them, one by too much, or too many in one channel or row. Only a single step is judged by size
// and concentration: a value that fell on the other side within it moves many elements of one row.
// What is made before a model runs may be rounded when it is dumped alone. It fails (GAIN) where
// all values are off alike, alpha = sum e y / sum y^2, as rounding to nearest cannot be; and sums
// over samples where more than a few are another number than the formula gives, of the samples in
// fp32 as well as of what the dump has. Where the rule cannot judge, the note says so (resolution:
// low).
void judge_roundings(const Roundings& roundings, const RoundingFloor& floor,
                     const PrecisionClass& precision, TapResult& result);

}  // namespace assay::conformance
