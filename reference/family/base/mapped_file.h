// SPDX-License-Identifier: Apache-2.0
// A regular file, mapped read-only for as long as the object lives.
//
// The size is that of the moment of opening. Whoever cuts a file short while it is mapped gets
// the signal that the system gives for it; nothing here can prevent that.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace assay {

class MappedFile {
 public:
  // `label` is the file's name in messages.
  static MappedFile open(const std::filesystem::path& path, std::string_view label);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

  // Drops the whole pages inside [begin, begin + count) from memory; a later read maps them again.
  void release(std::size_t begin, std::size_t count) const;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace assay
