// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/probe.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>

#include "conformance/records/golden.h"
#include "conformance/testing/file_maker.h"
#include "reference/family/base/error.h"

#ifdef __SANITIZE_ADDRESS__
// HDF5 forgets some memory when it gives a damaged file up.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}
#endif

namespace assay::conformance {
namespace {

using testing::error_of;

TEST(Probe, tells_a_crash_and_an_endless_loop_from_an_error) {
  probe("a.h5", 0, [] {});
  probe("a.h5", 0, [] { throw Error("the parent meets this one itself"); });
  EXPECT_EQ(
      error_of([] { probe("a.h5", 0, [] { std::abort(); }); }),
      "a.h5: file: got a damaged HDF5 file that the library crashes on, expected a whole one");
  EXPECT_EQ(
      error_of([] { probe("a.h5", 0, [] { throw std::bad_alloc(); }); }),
      "a.h5: file: got a damaged HDF5 file that the library crashes on, expected a whole one");
  EXPECT_EQ(error_of([] {
              probe("a.h5", 0, [] {
                for (volatile bool go = true; go;) {
                }
              });
            }),
            "a.h5: file: got an HDF5 file whose structure has no end, expected a whole one");
}

// Whatever the damage: an error or a golden, never a crash.
TEST(Probe, damaged_bytes_do_not_end_the_program) {
  const testing::Folder folder;
  testing::write_small_golden(folder / "a.h5");
  std::ifstream file(folder / "a.h5", std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (std::size_t at = 0; at < whole.size(); at += 61) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    std::ofstream(folder / "b.h5", std::ios::binary) << damaged;
    error_of([&] { read_golden(folder / "b.h5"); });
  }
}

}  // namespace
}  // namespace assay::conformance
