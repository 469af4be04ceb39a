// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/write_file.h"

#include <unistd.h>

#include <fstream>
#include <system_error>

#include "reference/family/base/error.h"

namespace assay::conformance {

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::path temporary = path;
  temporary += ".part-" + std::to_string(getpid());
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  std::error_code error;
  if (file) {
    std::filesystem::rename(temporary, path, error);
  }
  if (!file || error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw Error(path.string() + ": file: got an error while writing, expected a writable place " +
                "with enough room");
  }
}

}  // namespace assay::conformance
