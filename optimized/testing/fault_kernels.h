// SPDX-License-Identifier: Apache-2.0
// Small kernels of one block that do one thing, some of them wrongly: what the executor must catch,
// and what it must let pass.
#pragma once

#include <cstdint>

#include "optimized/device/cuda/stream.h"

namespace assay::cuda {

inline constexpr int kFaultThreads = 64;

enum class Fault {
  // Right.
  kNone,           // every thread reads what its neighbour wrote, after a barrier
  kAtomicCount,    // a counter by atomicAdd
  kHalfWarps,      // shuffles by halves of a warp, at two places
  kNamedBarriers,  // one warp gives, the other takes
  kAsyncCopy,      // a copy that is waited for
  // Wrong.
  kMissingBarrier,      // reads its neighbour's slot without a barrier
  kShiftInPlace,        // reads and writes neighbouring slots with no barrier between
  kPlainCount,          // a counter by ++
  kMissingSyncwarp,     // lanes read each other's slots without __syncwarp
  kPastTheEnd,          // one element past an array
  kBeforeTheStart,      // one element before it
  kPastDynamic,         // one element past the dynamic shared memory
  kHalfBarrier,         // half of the block comes to no barrier
  kTwoBarriers,         // halves of the block wait at different barriers
  kShuffleInBranch,     // lanes of one mask at different places
  kShuffleOutside,      // reads a lane that the mask leaves out
  kMaskWithoutMe,       // a mask that leaves the caller out
  kDeadLanes,           // a mask that names lanes which have ended
  kUnwritten,           // reads shared memory that nobody wrote
  kNamedShort,          // a named barrier that waits for a warp which never comes
  kNamedMissing,        // takes without the named barrier
  kCopyNoWait,          // reads before its copy has landed
  kCopyNeverWaited,     // ends with a copy under way
  kCopyMissingBarrier,  // others read a copy that its thread waited for, without a barrier
  kBlocksCollide,       // two blocks write the same global memory
  kEarlyExit,           // some threads end before a barrier of the others
};

// in, out: kFaultThreads values.
void run_fault(Stream& stream, Fault fault, const int* in, int* out);
// What out is when the kernel is right.
int expected_of(Fault fault, const int* in, int thread);

// One warp: d [16, 8] = a [16, 16] b [8, 16]^T by mma.m16n8k16. Wrong: the two registers of a that
// hold rows 8 to 15 and columns 8 to 15 are exchanged.
void run_mma(Stream& stream, bool wrong_fragment, const std::uint16_t* a, const std::uint16_t* b,
             float* d);

// out[i] = a x[i] + y[i]
void scale_add(Stream& stream, float a, const float* x, const float* y, float* out, int count);

}  // namespace assay::cuda
