// SPDX-License-Identifier: Apache-2.0
// Static arrays come from an arena, by the place of their declaration, with guard bytes around
// each. Dynamic shared memory starts at an address that is a multiple of 128 and not of 1024, for
// nothing promises more.
#include <algorithm>
#include <cstring>
#include <memory>

#include "optimized/device/cuda/machine.h"

namespace assay::simt {
namespace {

constexpr std::size_t kGuard = 64;
constexpr std::size_t kArena = 2 * kMaxStaticShared;
constexpr std::size_t kMaxArrays = 64;
constexpr unsigned char kPoison = 0xff;  // a float of it is NaN
// Where both begin in the address space of a device.
constexpr unsigned kDynamicAt = 1024 + 128;
constexpr unsigned kStaticAt = 0x3a000;
constexpr unsigned kSpaceEnd = 0x40000 + 0x12000;

struct Array {
  const void* tag;
  const char* where;
  std::size_t at, bytes;
};

struct SharedMemory {
  alignas(128) unsigned char arena[kArena];
  Array arrays[kMaxArrays];
  std::size_t count = 0, used = 0, bytes = 0, touched = kArena;
  std::vector<unsigned char> dynamic;  // guard, aligned start, bytes, guard
  unsigned char* start = nullptr;
  std::size_t dynamic_bytes = 0;
};
// Not thread-local itself: a library that is loaded late has little room for those.
SharedMemory& memory() {
  static thread_local std::unique_ptr<SharedMemory> owner;
  static SIMT_THREAD_LOCAL SharedMemory* mine = nullptr;
  if (mine == nullptr) {
    owner = std::make_unique<SharedMemory>();
    mine = owner.get();
  }
  return *mine;
}

bool intact(const unsigned char* first, std::size_t count) {
  return std::all_of(first, first + count, [](unsigned char c) { return c == kPoison; });
}

}  // namespace

void begin_shared_memory(std::size_t dynamic_bytes) {
  memory().dynamic.resize(dynamic_bytes + 2 * kGuard + 128);
  const auto first = reinterpret_cast<std::uintptr_t>(memory().dynamic.data()) + kGuard;
  memory().start = memory().dynamic.data() + kGuard + (128 - first % 128) % 128;
  memory().dynamic_bytes = dynamic_bytes;
}

void begin_block_memory() {
  if (settings.poison) {
    std::memset(memory().arena, kPoison, memory().touched);
    std::memset(memory().dynamic.data(), kPoison, memory().dynamic.size());
    memory().touched = 0;
  }
  memory().count = memory().used = memory().bytes = 0;
}

void check_guards() {
  if (!settings.poison) {
    return;
  }
  for (std::size_t i = 0; i < memory().count; ++i) {
    const Array& array = memory().arrays[i];
    const unsigned char* p = memory().arena + array.at;
    if (!intact(p - kGuard, kGuard) || !intact(p + array.bytes, kGuard)) {
      throw Failure(std::string(array.where) + ": written outside the array");
    }
  }
  const unsigned char* end = memory().start + memory().dynamic_bytes;
  if (!intact(memory().start - kGuard, kGuard) || !intact(end, kGuard)) {
    throw Failure("written outside the dynamic shared memory of " +
                  std::to_string(memory().dynamic_bytes) + " bytes");
  }
}

void* dynamic_shared() {
  return memory().start;
}

void* static_shared(const void* tag, const char* where, std::size_t bytes) {
  for (std::size_t i = 0; i < memory().count; ++i) {
    if (memory().arrays[i].tag == tag) {
      return memory().arena + memory().arrays[i].at;
    }
  }
  memory().bytes += bytes;
  const std::size_t at = memory().used + kGuard;
  const std::size_t next = at + (bytes + kGuard - 1) / kGuard * kGuard + kGuard;
  if (memory().bytes > kMaxStaticShared || memory().count == kMaxArrays || next > kArena) {
    fail_here(std::string(where) + ": got " + std::to_string(memory().bytes) +
              " bytes of static shared memory, expected at most " +
              std::to_string(kMaxStaticShared) + " in " + std::to_string(kMaxArrays) + " arrays");
  }
  memory().arrays[memory().count++] = {tag, where, at, bytes};
  memory().used = next;
  memory().touched = std::max(memory().touched, next);
  return memory().arena + at;
}

bool in_shared_memory(const void* address) {
  const auto* a = static_cast<const unsigned char*>(address);
  return (a >= memory().start && a < memory().start + memory().dynamic_bytes) ||
         (a >= memory().arena && a < memory().arena + kArena);
}

std::string shared_name(const void* address) {
  const auto* a = static_cast<const unsigned char*>(address);
  for (std::size_t i = 0; i < memory().count; ++i) {
    const Array& array = memory().arrays[i];
    const unsigned char* first = memory().arena + array.at;
    if (a >= first && a < first + array.bytes) {
      return std::string(array.where) + " + " + std::to_string(a - first) + " bytes";
    }
  }
  return "dynamic shared memory + " + std::to_string(a - memory().start) + " bytes";
}

unsigned shared_offset(const void* address) {
  const auto* a = static_cast<const unsigned char*>(address);
  if (a >= memory().start && a <= memory().start + memory().dynamic_bytes) {
    return static_cast<unsigned>(a - memory().start) + kDynamicAt;
  }
  if (a >= memory().arena && a < memory().arena + kArena) {
    return static_cast<unsigned>(a - memory().arena) + kStaticAt;
  }
  fail_here("an address that is not of shared memory");
}

unsigned char* shared_at(unsigned offset) {
  if (offset >= kStaticAt && offset < kSpaceEnd) {
    return memory().arena + (offset - kStaticAt);
  }
  if (offset < kDynamicAt || offset - kDynamicAt >= memory().dynamic_bytes) {
    fail_here("got the shared address " + std::to_string(offset) + ", expected one of " +
              std::to_string(memory().dynamic_bytes) + " dynamic bytes");
  }
  return memory().start + (offset - kDynamicAt);
}

}  // namespace assay::simt
