// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/new_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "reference/family/base/error.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSpareBytes = std::size_t{64} << 20;  // what the disk keeps free

// Without the separator that may end it.
fs::path named(const fs::path& path) {
  const fs::path target = fs::absolute(path).lexically_normal();
  return target.has_filename() ? target : target.parent_path();
}

void require_parent(const fs::path& target, const fs::path& as_given) {
  std::error_code ignored;
  if (!fs::is_directory(target.parent_path(), ignored)) {
    throw Error(as_given.string() + ": got no directory to make it in, expected one");
  }
}

[[noreturn]] void fail_to(const fs::path& target, const std::string& what) {
  throw Error(target.string() + ": got \"" + std::strerror(errno) + "\", expected to " + what);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

[[noreturn]] void refuse_to_overwrite(const fs::path& target) {
  throw Error(target.string() + ": got a file that is there, expected a new name");
}

}  // namespace

void require_space(const fs::path& directory, std::size_t bytes) {
  std::error_code problem;
  const fs::space_info space = fs::space(directory, problem);
  if (problem) {
    throw Error(directory.string() + ": got \"" + problem.message() + "\", expected a directory");
  }
  if (space.available < kSpareBytes || space.available - kSpareBytes < bytes) {
    throw Error(directory.string() + ": got " + std::to_string(space.available >> 20) +
                " MiB of free space, expected " + std::to_string((bytes + kSpareBytes) >> 20) +
                " MiB");
  }
}

NewFile::NewFile(const fs::path& target) : target_(named(target)), file_(-1) {
  if (is_there(target_)) {
    refuse_to_overwrite(target_);
  }
  require_parent(target_, target);
  std::string name = target_.string() + ".partial-XXXXXX";
  file_ = Descriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (file_.number() < 0) {
    fail();
  }
  path_ = name;
  ::fchmod(file_.number(), 0644);
}

NewFile::NewFile(NewFile&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::exchange(other.path_, fs::path())),
      file_(std::move(other.file_)),
      size_(other.size_) {}

NewFile::~NewFile() {
  if (!path_.empty()) {
    ::unlink(path_.c_str());
  }
}

void NewFile::append(std::span<const std::byte> bytes) {
  if (!file_.write(bytes)) {
    fail();
  }
  size_ += bytes.size();
}

void NewFile::close() {
  if (!file_.close()) {
    fail();
  }
}

void NewFile::publish() {
  close();
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) != 0) {
    // A file system that does not know the flag says EINVAL.
    if (errno == EEXIST || is_there(target_)) {
      refuse_to_overwrite(target_);
    }
    if (errno != EINVAL || ::rename(path_.c_str(), target_.c_str()) != 0) {
      fail_to(target_, "rename the finished file");
    }
  }
  path_.clear();
}

void NewFile::fail() const {
  fail_to(target_, "write the file");
}

NewDirectory::NewDirectory(const fs::path& target) : target_(named(target)) {
  std::error_code ignored;
  if (is_there(target_) &&
      !(fs::is_directory(fs::symlink_status(target_, ignored)) && fs::is_empty(target_, ignored))) {
    throw Error(target.string() + ": got something that is there, expected an empty directory " +
                "or none");
  }
  require_parent(target_, target);
  std::string name = target_.string() + ".partial-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    fail_to(target_, "make a directory beside it");
  }
  path_ = name;
  fs::permissions(path_, fs::perms(0755));
}

NewDirectory::~NewDirectory() {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
}

void NewDirectory::publish() {
  std::error_code problem;
  fs::rename(path_, target_, problem);
  if (problem) {
    throw Error(target_.string() + ": got \"" + problem.message() +
                "\", expected to rename the finished directory");
  }
  path_.clear();
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    fail_to(path, "write it");
  }
}

}  // namespace assay
