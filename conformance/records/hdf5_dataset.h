// SPDX-License-Identifier: Apache-2.0
// One dataset of an untrusted file: its type, shape and storage are checked, then it is read.
#pragma once

#include <cstddef>
#include <string>

#include "conformance/records/hdf5_file.h"
#include "conformance/records/hdf5_handle.h"

namespace assay::conformance {

struct DatasetPlace {
  std::string label;        // the file
  std::string path;         // within it
  std::size_t file_bytes;   // nothing that is stored plainly can be larger
  std::size_t* bytes_left;  // what may still be asked of this file
};

Hdf5Array read_dataset(const Hdf5Handle& dataset, const DatasetPlace& place);

}  // namespace assay::conformance
