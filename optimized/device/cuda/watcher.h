// SPDX-License-Identifier: Apache-2.0
// What the executor tells a race detector, where one is linked: which threads have met.
#pragma once

#include <cstddef>

namespace assay::simt {

// The way by which memory is reached: that of threads, or that of TMA and WGMMA.
enum class Proxy { kGeneric, kAsync };

class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void begin_launch() = 0;
  virtual void begin_block() = 0;
  virtual void end_launch(const char* kernel) = 0;  // throws Failure when there was a race

  virtual void block_barrier() = 0;
  virtual void warp_barrier(unsigned first_thread, unsigned mask) = 0;
  // `object` is a barrier: who waits for it comes after all that arrived before.
  virtual void arrive(const void* object) = 0;
  virtual void turn(const void* object) = 0;  // all have arrived: a phase is over
  virtual void pass(const void* object) = 0;
  // An access by the asynchronous parts of the thread that runs.
  virtual void touch(const void* address, std::size_t bytes, bool write, Proxy proxy) = 0;
  // What the thread that runs wrote before is there for accesses by Proxy::kAsync.
  virtual void proxy_fence() = 0;
};

extern constinit Watcher* watcher;  // null: nobody watches

}  // namespace assay::simt
