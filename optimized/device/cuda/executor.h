// SPDX-License-Identifier: Apache-2.0
// Runs CUDA kernels on a CPU, so that everything about them but speed shows without a device.
//
// Blocks run one after another; the threads of a block are fibers, and a fiber runs until it comes
// to a barrier, a warp operation or its end. A warp runs until each of its lanes stands at a
// barrier. The order of blocks, warps and lanes is a setting: what a kernel computes must not
// depend on it.
//
// Found, with file and line: lanes that shuffle from outside their mask, masks that name lanes
// which have ended, lanes of one mask at different operations, barriers that only a part of a block
// reaches, deadlocks, writes around an array in shared memory, too much of it. Shared memory starts
// as NaN.
//
// Not shown by it: the memory model, contraction, occupancy, speed, and an instruction that its
// emulation here misreads just as the kernel does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "optimized/device/cuda/host_types.h"

namespace assay::simt {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Order { kForward, kReverse, kShuffled };

struct Settings {
  Order order = Order::kForward;
  std::uint64_t seed = 1;   // of kShuffled
  bool poison = true;       // shared memory is 0xff.. before each block, guard bytes are checked
  bool strict_exit = true;  // a barrier of the block after some thread has ended is a failure
};

struct Counters {
  std::uint64_t launches = 0, blocks = 0, threads = 0, switches = 0, barriers = 0, warp_ops = 0;
};

// Of this OS thread. constinit and initial-exec: kernels read `index` without a call, in a library
// that is loaded late, too.
#define SIMT_THREAD_LOCAL constinit thread_local __attribute__((tls_model("initial-exec")))
struct Index {
  uint3 thread, block;
  dim3 block_dim, grid_dim;
  unsigned lane = 0;
};
extern SIMT_THREAD_LOCAL Settings settings;
extern SIMT_THREAD_LOCAL Counters counters;
extern SIMT_THREAD_LOCAL Index index;

inline constexpr unsigned kMaxThreads = 1024;
inline constexpr unsigned kMaxDynamicShared = 227 * 1024;  // bytes, of a Hopper block
inline constexpr unsigned kMaxStaticShared = 48 * 1024;

// Every block of one launch; throws Failure.
void run(const char* name, dim3 grid, dim3 block, std::size_t shared,
         const std::function<void()>& body);

// What a kernel calls. `where` is a file and a line, or the name of an operation.
void sync_threads(const char* where);
int sync_threads_count(const char* where, bool predicate);
inline unsigned lane() {
  return index.lane;
}
void* dynamic_shared();
// One array for each tag, the address of something that belongs to its declaration.
void* static_shared(const void* tag, const char* where, std::size_t bytes);

// Gives 8 bytes and waits until every lane of the mask is at the same place; then the values of all
// lanes, valid until this lane's next call. The last lane to arrive calls `all_here`, if there is
// one, with them. Shuffles do not order memory, __syncwarp does.
enum class Memory { kUnordered, kOrdered };
using Collective = void (*)(const std::uint64_t* values);
const std::uint64_t* warp_exchange(unsigned mask, std::uint64_t value, const char* where,
                                   Memory memory, Collective all_here = nullptr);

// Barriers 1 to 15 of the block: `threads`, a multiple of 32, arrive; those of sync wait for the
// others.
void named_barrier_sync(unsigned id, unsigned threads, const char* where);
void named_barrier_arrive(unsigned id, unsigned threads, const char* where);

// Ends the launch with a message that names block, thread and place.
[[noreturn]] void fail(const std::string& message);
[[noreturn]] void fail_here(const std::string& message);

}  // namespace assay::simt
