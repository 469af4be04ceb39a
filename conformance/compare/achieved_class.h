// SPDX-License-Identifier: Apache-2.0
// The class that the values of a dump betray, whatever was declared: the narrowest one that has all
// of them.
//
//   every v = R_c(v)     of at least three in four real taps
//
// Numbers of bf16 in a dump that was declared f32 were rounded to bf16. A tap of few different
// values tells nothing, and probabilities and angles are often kept in fp32 by a 16-bit program.
#pragma once

#include <cstddef>
#include <string>

#include "conformance/compare/precision.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

struct AchievedClass {
  const PrecisionClass* precision = nullptr;  // bf16, f16, f32 or f64; null: nothing tells
  std::size_t taps = 0;                       // that hold numbers of the class alone
  std::size_t of = 0;                         // that tell anything

  std::string name() const;
  // "every value is a bf16 number"
  std::string describe() const;
};

AchievedClass achieved_class(const TapSet& dump);

}  // namespace assay::conformance
