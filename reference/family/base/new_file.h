// SPDX-License-Identifier: Apache-2.0
// Files and directories that appear under their name only when they are complete.
//
// Each is made under a name of its own beside the target and renamed by publish(); what is not
// published is removed again. Nothing that is there is overwritten.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "reference/family/base/descriptor.h"

namespace assay {

// Throws unless the file system of `directory` has room for `bytes`, and some to spare.
void require_space(const std::filesystem::path& directory, std::size_t bytes);

class NewFile {
 public:
  // Throws when `target` is there, or the system cannot make a file beside it.
  explicit NewFile(const std::filesystem::path& target);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  void append(std::span<const std::byte> bytes);
  std::size_t size() const { return size_; }
  const std::filesystem::path& target() const { return target_; }

  // Closes the file; throws when the system reports that something got lost.
  void close();
  void publish();

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path target_;
  std::filesystem::path path_;  // empty once it is published
  Descriptor file_;
  std::size_t size_ = 0;
};

class NewDirectory {
 public:
  // `target` must be absent or empty, and what it lies in a directory.
  explicit NewDirectory(const std::filesystem::path& target);
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  ~NewDirectory();

  const std::filesystem::path& path() const { return path_; }  // where its files are made
  const std::filesystem::path& target() const { return target_; }

  void publish();

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
};

// A whole small file of a directory in the making.
void write_text(const std::filesystem::path& path, const std::string& text);

}  // namespace assay
