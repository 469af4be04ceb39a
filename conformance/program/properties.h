// SPDX-License-Identifier: Apache-2.0
// `assay verify --properties`: what must hold of any implementation, without a golden.
#pragma once

#include "conformance/compare/verdict.h"
#include "conformance/program/options.h"

namespace assay::program {

// Tries each property whose name matches --case, as 'I-3*', in each of `options.precisions`, on
// --checkpoint or on one committed checkpoint of each size; prints a line each and adds it to the
// report as a case in mode "property".
void try_properties(const VerifyOptions& options, conformance::Report& report);

}  // namespace assay::program
