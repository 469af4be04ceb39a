// SPDX-License-Identifier: Apache-2.0
// Chained: a candidate's taps against the truth, end to end.
//
// 16-bit classes: errors of size inform, they do not gate, except at text.logits. Rows that an
// excused choice has spoilt are left out, and so are those where a choice that the dump does not
// show may have gone the other way, or one that the golden does not keep went another way.
#pragma once

#include "conformance/compare/floors.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/verdict.h"
#include "conformance/records/golden.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// `end_to_end`: errors may be inherited; false where the run was fed the truth at each block, so
// that in 16 bits they gate, too. `choices`: of the truth, where the golden does not keep them or
// their scores. Whether a dump that chose otherwise may have, its replay says.
CaseResult compare_chained(const Golden& golden, const TapSet& dump, const Floors& floors,
                           bool end_to_end = true, const TapSet& choices = {});

// A golden from the fp64 build itself, where no file has the truth. An empty filter: every tap.
Golden golden_from_run(Implementation& f64, const CaseInput& input, const TapFilter& filter);

// The taps a comparison of `taps` needs as truth: themselves and what they consult.
TapFilter with_consulted(const std::set<std::string>& taps);

}  // namespace assay::conformance
