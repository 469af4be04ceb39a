// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "reference/family/base/error.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t round_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

}  // namespace

Pages::Pages(std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  size_ = round_up(bytes, kHugePage);
  mapped_size_ = size_ + kHugePage;
  void* const memory = mmap(nullptr, mapped_size_, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error("memory: got no room for " + std::to_string(bytes) + " bytes");
  }
  mapped_ = static_cast<std::byte*>(memory);
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  data_ = mapped_ + (round_up(address, kHugePage) - address);
  madvise(data_, size_, MADV_HUGEPAGE);  // refused: pages of 4 KiB, which huge_bytes() tells
}

Pages::Pages(Pages&& other) noexcept {
  *this = std::move(other);
}

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapped_, other.mapped_);
  std::swap(mapped_size_, other.mapped_size_);
  return *this;
}

Pages::~Pages() {
  if (mapped_ != nullptr) {
    munmap(mapped_, mapped_size_);
  }
}

std::size_t Pages::huge_bytes() const {
  std::ifstream map("/proc/self/smaps");
  const auto begin = reinterpret_cast<std::uintptr_t>(data_);
  bool inside = false;
  std::size_t kilobytes = 0;
  for (std::string line; std::getline(map, line);) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    unsigned long long count = 0;
    if (std::sscanf(line.c_str(), "%llx-%llx ", &from, &to) == 2) {
      inside = from < begin + size_ && begin < to;
    } else if (inside && std::sscanf(line.c_str(), "AnonHugePages: %llu kB", &count) == 1) {
      kilobytes += count;
    }
  }
  return std::min(kilobytes * 1024, size_);
}

}  // namespace assay::cpu
