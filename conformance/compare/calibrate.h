// SPDX-License-Identifier: Apache-2.0
// Measures floors: what honest programs of a class are off on this very case.
//
// Class f32: the float build, with angles in fp32 and another GELU, and fed in chunks; and fp64
// runs with noise of the float build's own step sizes at every tap (matrix products: of any honest
// order), which sample orders of summation nobody wrote. Narrower classes: the float build with
// every real tap rounded to the class, to nearest and at random. Members are compared with the fp64
// build, not with a golden: where those two disagree the floor must not grow.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "conformance/compare/floors.h"
#include "conformance/interface/implementation.h"

namespace assay::conformance {

struct CalibrationOptions {
  bool chained = true;  // false: stored floors will do
  bool replay = true;
  bool exact_dump = true;         // false: taps are rounded where they are dumped, and only there
  bool known_roundings = true;    // false: 16-bit values are not compared by their roundings
  std::size_t noise_members = 0;  // 0: by the size of the case
  std::uint64_t seed = 1;
};

// `taps`: those of the dump that will be judged; replay is as fine as they are. Both builds have
// the checkpoint loaded.
Floors calibrate(Implementation& f64, Implementation& f32, const CaseInput& input,
                 const std::set<std::string>& taps, const PrecisionClass& precision,
                 const CalibrationOptions& options = {});

}  // namespace assay::conformance
