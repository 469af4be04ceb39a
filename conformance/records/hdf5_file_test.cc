// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/hdf5_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "conformance/testing/file_maker.h"

namespace assay::conformance {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using testing::Folder;
using testing::spoil;
using testing::write_small_golden;

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Opens a file and reads all taps in it.
void read_everything(const std::filesystem::path& path) {
  Hdf5File file = Hdf5File::open(path);
  for (const std::string& name : file.children("/taps")) {
    for (const std::string& part : file.children("/taps/" + name)) {
      file.read("/taps/" + name + "/" + part);
    }
    file.attributes("/taps/" + name);
  }
}

TEST(Hdf5File, refuses_what_is_not_hdf5) {
  const Folder folder;
  write_bytes(folder / "a.h5", "not an HDF5 file at all");
  write_bytes(folder / "empty.h5", "");
  EXPECT_EQ(error_of([&] { Hdf5File::open(folder / "a.h5"); }),
            "a.h5: file: got bytes that are not HDF5, expected an HDF5 file");
  EXPECT_EQ(error_of([&] { Hdf5File::open(folder / "empty.h5"); }),
            "empty.h5: file: got bytes that are not HDF5, expected an HDF5 file");
  EXPECT_EQ(error_of([&] { Hdf5File::open(folder / "none.h5"); }),
            "none.h5: file: got nothing, expected an HDF5 file");
  std::filesystem::create_directory(folder / "folder.h5");
  EXPECT_EQ(error_of([&] { Hdf5File::open(folder / "folder.h5"); }),
            "folder.h5: file: got no regular file, expected an HDF5 file");
}

TEST(Hdf5File, refuses_a_truncated_file_at_every_length) {
  const Folder folder;
  write_small_golden(folder / "a.h5");
  const std::string whole = bytes_of(folder / "a.h5");
  for (std::size_t length = 1; length < whole.size(); length += 97) {
    write_bytes(folder / "cut.h5", whole.substr(0, length));
    EXPECT_NE(error_of([&] { read_everything(folder / "cut.h5"); }), "no error") << length;
  }
  write_bytes(folder / "cut.h5", whole.substr(0, whole.size() / 2));
  EXPECT_EQ(error_of([&] { read_everything(folder / "cut.h5"); }),
            "cut.h5: file: got a truncated or damaged HDF5 file, expected a whole one");
}

TEST(Hdf5File, widens_16_bit_floats_and_booleans) {
  const Folder folder;
  write_small_golden(folder / "a.h5");
  spoil(folder / "a.h5", [](hid_t file) {
    const auto write = [file](const char* name, const Hdf5Handle& type, const void* values) {
      testing::remake(file, name, type.id(), {3});
      const Hdf5Handle dataset(H5Dopen2(file, name, H5P_DEFAULT), H5Dclose);
      H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    };
    const std::uint16_t halves[] = {0x3C00, 0x0001, 0xFC00};  // 1, 2^-24, -infinity
    Hdf5Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
    H5Tset_fields(half.id(), 15, 10, 5, 0, 10);
    H5Tset_size(half.id(), 2);
    H5Tset_ebias(half.id(), 15);
    write("/half", half, halves);
    const std::uint16_t narrow[] = {0x3F80, 0xC000, 0x7F80};  // 1, -2, infinity
    Hdf5Handle bfloat16(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
    H5Tset_fields(bfloat16.id(), 15, 7, 8, 0, 7);
    H5Tset_size(bfloat16.id(), 2);
    write("/bfloat16", bfloat16, narrow);
    const std::int8_t truths[] = {0, 1, 1};
    Hdf5Handle boolean(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
    const std::int8_t no = 0;
    const std::int8_t yes = 1;
    H5Tenum_insert(boolean.id(), "FALSE", &no);
    H5Tenum_insert(boolean.id(), "TRUE", &yes);
    write("/boolean", boolean, truths);
  });
  Hdf5File file = Hdf5File::open(folder / "a.h5");
  EXPECT_THAT(file.read("/half").values, ElementsAre(1, 0x1p-24, -INFINITY));
  EXPECT_THAT(file.read("/bfloat16").values, ElementsAre(1, -2, INFINITY));
  const Hdf5Array boolean = file.read("/boolean");
  EXPECT_TRUE(boolean.integer);
  EXPECT_THAT(boolean.values, ElementsAre(0, 1, 1));
}

TEST(Hdf5File, reads_through_deflate_and_knows_no_other_filter) {
  const Folder folder;
  write_small_golden(folder / "a.h5");
  spoil(folder / "a.h5", [](hid_t file) {
    const hsize_t chunk[] = {2, 2};
    const Hdf5Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(plan.id(), 2, chunk);
    H5Pset_shuffle(plan.id());
    H5Pset_deflate(plan.id(), 9);
    testing::remake(file, "/squeezed", H5T_IEEE_F32LE, {3, 2}, plan.id());
    const float values[] = {1, 2, 3, 4, 5, 6};
    const Hdf5Handle dataset(H5Dopen2(file, "/squeezed", H5P_DEFAULT), H5Dclose);
    H5Dwrite(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    const Hdf5Handle odd(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_chunk(odd.id(), 2, chunk);
    H5Pset_scaleoffset(odd.id(), H5Z_SO_INT, 0);
    testing::remake(file, "/odd", H5T_STD_I32LE, {3, 2}, odd.id());
  });
  Hdf5File file = Hdf5File::open(folder / "a.h5");
  EXPECT_THAT(file.read("/squeezed").values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(error_of([&] { file.read("/odd"); }),
            "a.h5: /odd: got filter 6, expected deflate, shuffle or fletcher32");
}

TEST(Hdf5Writer, leaves_nothing_when_it_does_not_finish) {
  const Folder folder;
  {
    Hdf5Writer file(folder / "a.h5");
    file.make_group("/taps");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder / ""));
  EXPECT_EQ(error_of([&] { Hdf5Writer file(folder / "none" / "a.h5"); }),
            "a.h5: file: got an error while writing, expected a writable place with enough room");
}

}  // namespace
}  // namespace assay::conformance
