// SPDX-License-Identifier: Apache-2.0
// Precision classes: what a port may round, as data, so that the suite can do the same. A class is
// one row of the table in precision.cc.
//
// A class says what is computed in, never how weights are stored: that is a fact of the checkpoint
// (reference/family/checkpoint/dtype.h), which the judge reads exactly, so it costs no error.
//
//   u = 2^-bits     R_c(y): y to `bits` significant bits, nearest even
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "conformance/interface/implementation.h"

namespace assay::conformance {

struct PrecisionClass {
  std::string_view name;
  int bits;            // of the significand, the implicit one included
  int min_exponent;    // of the smallest normal number
  double largest;      // finite value
  bool sixteen_bit;    // stores 16 bits: chained results inform, they do not gate
  bool rounds_taps;    // emulated by the float build with every real tap rounded
  double floor_scale;  // floors of class `floors_of` times this
  std::string_view floors_of;
  double smallest_budget;
  Rounding rounding;  // legitimate rounding of the class that no tap shows

  double unit_roundoff() const;
  double smallest_roundoff() const;  // of subnormal numbers, as a number and not as a share
};

std::span<const PrecisionClass> precision_classes();
const PrecisionClass* find_precision(std::string_view name);  // null when unknown

// Ties to even; subnormals as the class has them; no overflow to infinity.
double round_to_class(double value, const PrecisionClass& precision);
double spacing_of_class(double value, const PrecisionClass& precision);  // ulp_c, also at 0
// Up with a probability equal to the position between the neighbours; `uniform` in [0, 1).
double round_stochastic(double value, const PrecisionClass& precision, double uniform);

// A seeded sequence of numbers (splitmix64), the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double uniform();   // [0, 1)
  double gaussian();  // mean 0, variance 1

 private:
  std::uint64_t state_;
};

}  // namespace assay::conformance
