// SPDX-License-Identifier: Apache-2.0
#include "reference/family/media/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "reference/family/base/descriptor.h"
#include "reference/family/base/error.h"

namespace assay {
namespace {

Error unreadable(const std::string& name) {
  return Error(name + ": file: got \"" + std::strerror(errno) + "\", expected a readable file");
}

}  // namespace

std::string file_label(const std::filesystem::path& path) {
  return printable(path.filename().string());
}

std::vector<std::byte> read_file_bytes(const std::filesystem::path& path, std::size_t limit) {
  const std::string name = file_label(path);
  // Without O_NONBLOCK the opening of a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts = {};
  if (file.number() < 0 || ::fstat(file.number(), &facts) != 0) {
    throw unreadable(name);
  }
  if (!S_ISREG(facts.st_mode)) {
    throw Error(name + ": file: got a directory or a device, expected a regular file");
  }
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size > limit) {
    throw Error(name + ": file: got " + std::to_string(size) + " bytes, expected at most " +
                std::to_string(limit));
  }
  std::vector<std::byte> bytes(size);
  for (std::size_t at = 0; at < size;) {
    const ssize_t count = ::read(file.number(), bytes.data() + at, size - at);
    if (count < 0 && errno != EINTR) {
      throw unreadable(name);
    }
    if (count == 0) {
      throw Error(name + ": file: got " + std::to_string(at) + " bytes, expected " +
                  std::to_string(size));
    }
    at += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  return bytes;
}

std::uint64_t big_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.subspan(at, width)) {
    value = value << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

std::uint64_t little_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  }
  return value;
}

}  // namespace assay
