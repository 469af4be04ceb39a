// SPDX-License-Identifier: Apache-2.0
// Which known mistake a failing run makes, for verify and compare alike.
#pragma once

#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/program/judges.h"
#include "conformance/records/golden.h"
#include "conformance/records/tap_set.h"

namespace assay::program {

// Looks for it at most so many seconds (0: not at all) and writes what it finds into the results of
// that run; nothing where none fails, where there is no oracle, or where a profile explains it.
void add_diagnosis(const conformance::Golden& golden, const conformance::TapSet& taps,
                   Judges& judges, const conformance::PrecisionClass& precision, double seconds,
                   std::vector<conformance::CaseResult>& results);

}  // namespace assay::program
