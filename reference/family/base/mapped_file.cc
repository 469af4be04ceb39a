// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "reference/family/base/descriptor.h"
#include "reference/family/base/error.h"

namespace assay {
namespace {

std::string reason() {
  return std::strerror(errno);
}

}  // namespace

MappedFile MappedFile::open(const std::filesystem::path& path, std::string_view label) {
  const std::string name(label);
  // Without O_NONBLOCK the opening of a pipe would wait for its writer. A mapping outlives its
  // descriptor.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) {
    throw Error(name + ": got \"" + reason() + "\", expected a readable file");
  }
  struct stat facts = {};
  if (::fstat(file.number(), &facts) != 0) {
    throw Error(name + ": got \"" + reason() + "\", expected a readable file");
  }
  if (!S_ISREG(facts.st_mode)) {
    throw Error(name + ": got a directory or a device, expected a regular file");
  }
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size == 0) {  // the system does not map nothing
    return MappedFile({});
  }
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (start == MAP_FAILED) {
    throw Error(name + ": got \"" + reason() + "\", expected a file that can be mapped");
  }
  return MappedFile({static_cast<const std::byte*>(start), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

void MappedFile::release(std::size_t begin, std::size_t count) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = (begin + page - 1) / page * page;  // the mapping starts on a page
  const std::size_t last = (begin + count) / page * page;
  if (first < last && last <= bytes_.size()) {
    ::madvise(const_cast<std::byte*>(bytes_.data()) + first, last - first, MADV_DONTNEED);
  }
}

}  // namespace assay
