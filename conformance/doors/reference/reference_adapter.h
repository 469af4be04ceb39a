// SPDX-License-Identifier: Apache-2.0
// The reference as an implementation, in both precisions.
//
// Both can force taps: what a listener writes into a tap is what the rest of the run is computed
// from. That makes the fp64 one the judge of replay.
#pragma once

#include <memory>

#include "conformance/interface/implementation.h"

namespace assay::conformance {

std::unique_ptr<Implementation> make_reference_f32();
std::unique_ptr<Implementation> make_reference_f64();

// Threads of the BLAS both use. One thread gives the same bits in every run.
void use_blas_threads(int threads);

}  // namespace assay::conformance
