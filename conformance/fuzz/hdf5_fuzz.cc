// SPDX-License-Identifier: Apache-2.0
// Goldens and dumps in HDF5, read as the program reads them: first in a forked child.
//
// libhdf5 1.10 crashes, loops and leaks on damaged metadata. What happens to it in the child is no
// finding: the reader reports the child's end as an Error. What the child survives is read again
// here, with its checks under the sanitizers. Not covered: a fault of our own code that kills the
// child is taken for the library's; hdf5_file_test.cc spoils well-formed files through the C
// library for that. Leaks are not looked for, because the library has them.
#include "conformance/fuzz/fuzz_target.h"
#include "conformance/records/dump.h"
#include "conformance/records/golden.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const assay::fuzz::MemoryFile file;
  file.hold(assay::fuzz::bytes_of(data, size));
  assay::fuzz::expect_lines([] { assay::conformance::read_golden(file.path()); });
  assay::fuzz::expect_lines([] { assay::conformance::read_dump(file.path()); });
  return 0;
}
