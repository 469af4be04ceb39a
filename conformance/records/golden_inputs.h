// SPDX-License-Identifier: Apache-2.0
// The /inputs of a golden, checked against each other.
#pragma once

#include "conformance/interface/implementation.h"
#include "conformance/records/hdf5_file.h"

namespace assay::conformance {

CaseInput read_inputs(Hdf5File& file);

}  // namespace assay::conformance
