// SPDX-License-Identifier: Apache-2.0
// Which mistake is it: a failing dump, explained.
//
// The dump is replayed again with a mutant in the fp64 run, for each mutant that can act between
// the failing tap and what the dump shows before it: with full dumps a handful, with block taps
// those of a layer, with logits alone all of them. A mistake is named only where it takes the error
// down to rounding. Several faults are found one after another. What no single mistake explains is
// tried with two at once: first those pairs whose effects on the failing taps add up to the error
// (effects.h), then the best few singles with each of the others; each of the two must have a part
// in it. All of it within a time limit.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "conformance/compare/floors.h"
#include "conformance/compare/verdict.h"
#include "conformance/mutants/mutated.h"
#include "conformance/records/golden.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

struct DiagnosisRequest {
  const Golden& golden;
  const TapSet& dump;
  const Floors& floors;  // of replay
  const MutantModel& model;
  double seconds = 8;
  std::set<std::string> taps = {};  // whose failure is to be explained; empty: all that fail
};

// `f64` takes forced taps and follows the profile that the dump claims. Empty: nothing fails in a
// replay, or no known mistake explains it.
std::vector<Diagnosis> diagnose(Implementation& f64, const DiagnosisRequest& request);

}  // namespace assay::conformance
