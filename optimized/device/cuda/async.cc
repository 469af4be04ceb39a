// SPDX-License-Identifier: Apache-2.0
// Copies of 4, 8 or 16 bytes from global to shared memory (cp.async). They land when their thread
// waits for them and not before: who reads earlier reads poison.
#include "optimized/device/cuda/async.h"

#include <cstring>

#include "optimized/device/cuda/machine.h"
#include "optimized/device/cuda/watcher.h"

namespace assay::simt {
namespace {

struct Copy {
  void* to;
  const void* from;
  unsigned bytes, filled;  // filled: of `from`, the rest is 0
};
struct Pending {
  std::vector<Copy> open;                    // not yet of a group
  std::vector<std::vector<Copy>> committed;  // oldest first
};
thread_local std::vector<Pending> pending;  // of each thread of the block

Pending& mine() {
  return pending[machine().now->number];
}

// The bytes may land at any time from the issue to the wait: a write at both ends.
void tell(void* to, unsigned bytes) {
  if (watcher != nullptr) {
    watcher->touch(to, bytes, true, Proxy::kGeneric);
  }
}

void land(const Copy& copy) {
  tell(copy.to, copy.bytes);
  std::memcpy(copy.to, copy.from, copy.filled);
  std::memset(static_cast<unsigned char*>(copy.to) + copy.filled, 0, copy.bytes - copy.filled);
}

}  // namespace

void begin_async() {
  pending.resize(machine().fibers.size());
  for (Pending& of_thread : pending) {
    of_thread.open.clear();
    of_thread.committed.clear();
  }
}

void end_async() {
  for (std::size_t t = 0; t < pending.size(); ++t) {
    bool left = !pending[t].open.empty();
    for (const auto& group : pending[t].committed) {
      left = left || !group.empty();
    }
    if (left) {
      throw Failure("thread " + std::to_string(t) + " ends and has not waited for its copies");
    }
  }
}

void copy_async(void* shared, const void* global, unsigned bytes, unsigned filled) {
  const auto address = reinterpret_cast<std::uintptr_t>(shared);
  if (!in_shared_memory(shared) || address % bytes != 0 ||
      reinterpret_cast<std::uintptr_t>(global) % bytes != 0) {
    fail_here("an asynchronous copy of " + std::to_string(bytes) +
              " bytes: expected aligned addresses, the first of them in shared memory");
  }
  tell(shared, bytes);
  mine().open.push_back({shared, global, bytes, filled});
}

void copy_commit() {
  Pending& of_thread = mine();
  of_thread.committed.push_back(std::move(of_thread.open));
  of_thread.open.clear();
}

void copy_wait(unsigned groups_left) {
  Pending& of_thread = mine();
  while (of_thread.committed.size() > groups_left) {
    for (const Copy& copy : of_thread.committed.front()) {
      land(copy);
    }
    of_thread.committed.erase(of_thread.committed.begin());
  }
}

}  // namespace assay::simt
