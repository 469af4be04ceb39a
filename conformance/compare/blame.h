// SPDX-License-Identifier: Apache-2.0
// Who is at fault: the taps at which an error entered, apart from those that only carry it on.
// Knows verdicts and names, no numbers.
#pragma once

#include <string>
#include <vector>

#include "conformance/compare/verdict.h"
#include "conformance/records/tap_order.h"

namespace assay::conformance {

// The verdict of a case from those of its taps. A failure that was softened to a warning makes
// the case a warning; without evidence it is not tested.
void conclude(CaseResult& result);

// Splits the failures of a chained run into introduced and inherited. Replay names the introducers;
// without one (null) the first failing tap is named, and the message says what that is worth:
// whether a replay was not asked for, or has no checkpoint to be made with.
void blame(CaseResult& chained, const CaseResult* replay, bool has_checkpoint = false);

}  // namespace assay::conformance
