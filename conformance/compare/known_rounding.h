// SPDX-License-Identifier: Apache-2.0
// A dump that fails step by step: is it off by a rounding that programs are known for?
//
// The fp64 reference replays it once more with that rounding. A tap that is right then is off by
// nothing else, and its note says so; its verdict stays, the class does not grant the rounding.
//
//   relative L2 of a product whose input has 8 bits a block:  max / (127 sqrt(12) rms)
//
// of a block, about 5e-3 for 32 Gaussian values.  Spec: tolerance 10.
#pragma once

#include <string>

#include "conformance/compare/floors.h"
#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

struct RoundingNames {
  std::string note;              // for each rounding that explains some: which, and how many
  bool stored_products = false;  // the checkpoint has weights with which rounding can be felt
};

// `replayed`: of this dump, in the class of `floors`; gets notes at the taps that are explained.
RoundingNames name_roundings(Implementation& f64, const CaseInput& input, const TapSet& dump,
                             const Floors& floors, CaseResult& replayed);

}  // namespace assay::conformance
