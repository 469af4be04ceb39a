// SPDX-License-Identifier: Apache-2.0
// Values of a dump that are not the ones that were used.
//
// A tap that is right end to end and wrong in replay does not follow from what the dump says came
// before it: a buffer was overwritten before it was copied, or the program keeps another quantity
// there, as one with a factor folded into it. The fault is of the array that is wrong end to end,
// not of what is said to follow from it.
#pragma once

#include "conformance/compare/floors.h"
#include "conformance/compare/verdict.h"
#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

struct Replayed {
  const CaseInput& input;
  const TapSet& dump;
  const Floors& floors;
};

// Replays once more without the arrays that are wrong in both modes. Taps that are right then, and
// end to end, are no longer introduced by `replayed`, and both sides get a note.
void part_unused(Implementation& f64, const Replayed& what, const CaseResult& chained,
                 CaseResult& replayed);

}  // namespace assay::conformance
