// SPDX-License-Identifier: Apache-2.0
// One tap of an HDF5 file: a dataset, or a group with {hi, lo} or value.
#pragma once

#include <string>
#include <vector>

#include "conformance/records/hdf5_file.h"
#include "conformance/records/tap.h"

namespace assay::conformance {

// hi + lo in fp64. Throws when the shapes of hi and lo differ, or value holds no integers.
Tap read_tap(Hdf5File& file, const std::string& path, const std::string& name);

}  // namespace assay::conformance
