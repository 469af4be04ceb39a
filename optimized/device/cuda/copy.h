// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies from global to shared memory (cp.async, sm_80), and named barriers.
#pragma once

#include "optimized/device/cuda/simt.h"
#ifndef __CUDACC__
#include "optimized/device/cuda/async.h"
#endif

namespace assay::simt {

// 16 bytes, both addresses aligned to 16. The first `filled` bytes come from global memory, the
// rest is 0; with 0 nothing is read.
__device__ __forceinline__ void copy16_async(void* shared, const void* global,
                                             unsigned filled = 16) {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                   static_cast<unsigned>(__cvta_generic_to_shared(shared))),
               "l"(global), "r"(filled)
               : "memory");
#elif !defined(__CUDACC__)
  copy_async(shared, global, 16, filled);
#endif
}

// Ends a group: the copies since the last one.
__device__ __forceinline__ void copy_commit_group() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.commit_group;" ::: "memory");
#elif !defined(__CUDACC__)
  copy_commit();
#endif
}

// Until at most kLeft groups of this thread are under way. Others see the bytes after a barrier.
template <int kLeft>
__device__ __forceinline__ void copy_wait_group() {
#ifdef __CUDA_ARCH__
  asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
#elif !defined(__CUDACC__)
  copy_wait(kLeft);
#endif
}

// Barriers 1 to 15 of a block, for `threads` of it.
__device__ __forceinline__ void barrier_sync(unsigned id, unsigned threads) {
#ifdef __CUDA_ARCH__
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
#elif !defined(__CUDACC__)
  named_barrier_sync(id, threads, "barrier_sync");
#else
  (void)id, (void)threads;
#endif
}
__device__ __forceinline__ void barrier_arrive(unsigned id, unsigned threads) {
#ifdef __CUDA_ARCH__
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
#elif !defined(__CUDACC__)
  named_barrier_arrive(id, threads, "barrier_arrive");
#else
  (void)id, (void)threads;
#endif
}

}  // namespace assay::simt
