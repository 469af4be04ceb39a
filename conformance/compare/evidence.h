// SPDX-License-Identifier: Apache-2.0
// What a verdict rests on. A pass that nothing was compared for is none.
//
//   a tap     is tested when elements of it were compared, and zeros in their place would have been
//             off by more than it may be (judge.h); what only informs is no evidence
//   a case    is tested when a tap of it is, and its end is among those: the logits, any row of
//             them; for encoders the embedding. Whoever claims less says so (--only)
//
// Modes of one run add up: what the replay has tested need not be tested end to end, too.
#pragma once

#include <string>
#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/records/golden.h"

namespace assay::conformance {

bool is_evidence(const TapResult& tap);

// Taps one of which has to be tested before a case is; empty: any will do, as for requests.
std::vector<std::string> end_of(const Golden& golden);

// `results`: of one run, one for each mode. Fills in their coverage, and makes "not tested" of
// passes and warnings without evidence. A narrowed claim needs no end.
void weigh_evidence(const Golden& golden, bool narrowed, std::vector<CaseResult>& results);

}  // namespace assay::conformance
