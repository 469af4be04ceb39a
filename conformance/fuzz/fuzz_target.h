// SPDX-License-Identifier: Apache-2.0
// What every fuzz target is made of: bytes of a file that nobody vouches for.
//
// A reader either takes them or throws assay::Error, whose message is one line. Any other
// exception, a finding of a sanitizer, more time or memory than libFuzzer is told to allow: a
// finding. The targets are the lines of targets.txt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>

#include "reference/family/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace assay::fuzz {

// Runs a reader; its errors must be lines.
template <class Reader>
void expect_lines(const Reader& read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string_view line = error.what();
    if (line.empty() || line.find('\n') != std::string_view::npos) {
      std::abort();
    }
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

// A file in memory that holds the bytes, for readers that take a path; one, used again and again.
class MemoryFile {
 public:
  MemoryFile();
  void hold(std::span<const std::byte> bytes) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  int descriptor_;
  std::filesystem::path path_;
};

}  // namespace assay::fuzz
