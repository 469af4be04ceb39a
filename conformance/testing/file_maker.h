// SPDX-License-Identifier: Apache-2.0
// For tests: small goldens, and ways to spoil them that only the C library offers.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "conformance/records/hdf5_file.h"
#include "conformance/records/hdf5_handle.h"

namespace assay::conformance::testing {

// A folder that is there for the length of a test.
class Folder {
 public:
  Folder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            (std::string("assay_") + test->test_suite_name() + "_" + test->name());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// What read() says about the file, or "no error".
std::string error_of(const std::function<void()>& read);

// A good golden of three tokens: ids, token types, embedding [3, 2], a mask, a media item.
void write_small_golden(const std::filesystem::path& path);

// Opens the file for writing with the C library and hands it over.
void spoil(const std::filesystem::path& path, const std::function<void(hid_t file)>& change);

// Deletes /taps/text.embed/hi and makes it anew with this type, shape and creation plan; the values
// stay unwritten.
void remake(hid_t file, const std::string& name, hid_t type, const std::vector<hsize_t>& shape,
            hid_t plan = H5P_DEFAULT);

void set_attribute(hid_t file, const std::string& object, const std::string& name,
                   const std::string& text);
void set_attribute(hid_t file, const std::string& object, const std::string& name, double value);

}  // namespace assay::conformance::testing
