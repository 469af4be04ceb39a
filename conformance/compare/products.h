// SPDX-License-Identifier: Apache-2.0
// How far one matrix product may be off by its order of summation alone.
//
//   relative L2 = 4 u (1 + K / 1024)^(1/2)        K: terms of each sum
//
// The float build adds in one order, that of a tuned library; a plain loop over K is two to three
// times as far off and as honest. Spec: tolerance, analytic floors.
#pragma once

#include "conformance/interface/implementation.h"
#include "conformance/records/tap_set.h"

namespace assay::conformance {

// In unit roundoffs; 0 when the tap is no matrix product, or its input is not among `taps`.
double product_step(const Tap& tap, const TapSet& taps);

}  // namespace assay::conformance
