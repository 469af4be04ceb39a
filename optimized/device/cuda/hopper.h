// SPDX-License-Identifier: Apache-2.0
// Hopper's asynchronous parts (sm_90a): mbarriers and bulk copies of tensor tiles (TMA); wgmma.h
// has the products. On a CPU they are late on purpose: a copy lands when somebody waits for its
// mbarrier, a product runs at its wait; who does not wait reads poison.
//
// Tiles have the 128-byte swizzle: rows of 64 bf16, eight rows are 1024 bytes, and 16-byte chunk c
// of row r lies at chunk c xor r mod 8. They begin at multiples of 1024 of the shared address.
// Source: PTX ISA, 9.7.9.25, 9.7.13.
#pragma once

#include "optimized/device/cuda/simt.h"
#ifdef __CUDACC__
#include <cuda.h>
#else
#include "optimized/device/cuda/hopper_host.h"
#endif

// Code for other devices is empty; launchers ask for the device first.
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define SIMT_HOPPER 1
#endif

namespace assay::simt {

using Mbarrier = unsigned long long;
#ifdef __CUDACC__
using TensorMap = CUtensorMap;
#else
using TensorMap = HostTensorMap;
#endif

// Boxes of box_rows x 64 of a bf16 matrix; what is outside it is 0. Rows are 16-byte multiples
// apart.
TensorMap make_tensor_map(const void* base, unsigned rows, unsigned columns, unsigned row_stride,
                          unsigned box_rows);

__device__ __forceinline__ unsigned shared_address(const void* p) {
#ifdef __CUDA_ARCH__
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
#elif !defined(__CUDACC__)
  return shared_offset(p);
#else
  return p != nullptr;
#endif
}

__device__ __forceinline__ void mbarrier_init(Mbarrier* barrier, unsigned arrivals) {
#ifdef SIMT_HOPPER
  asm volatile(
      "mbarrier.init.shared::cta.b64 [%0], %1;\nfence.mbarrier_init.release.cluster;" ::"r"(
          shared_address(barrier)),
      "r"(arrivals)
      : "memory");
#elif !defined(__CUDACC__)
  host_mbarrier_init(barrier, arrivals);
#endif
}

// One arrival, which announces `bytes` more to come from bulk copies.
__device__ __forceinline__ void mbarrier_arrive(Mbarrier* barrier, unsigned bytes = 0) {
#ifdef SIMT_HOPPER
  asm volatile("{.reg .b64 s; mbarrier.arrive.expect_tx.shared::cta.b64 s, [%0], %1;}" ::"r"(
                   shared_address(barrier)),
               "r"(bytes)
               : "memory");
#elif !defined(__CUDACC__)
  host_mbarrier_arrive(barrier, bytes);
#endif
}

// Until the phase of this parity is over; the first has parity 0.
__device__ __forceinline__ void mbarrier_wait(Mbarrier* barrier, unsigned parity) {
#ifdef SIMT_HOPPER
  asm volatile(
      "{.reg .pred p;\nWAIT_%=: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n"
      "@!p bra WAIT_%=;}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
#elif !defined(__CUDACC__)
  host_mbarrier_wait(barrier, parity);
#endif
}

// The box that begins at (row, column); its bytes count for the barrier. By one thread.
__device__ __forceinline__ void load_tile(void* to, const TensorMap* map, Mbarrier* barrier,
                                          int column, int row) {
#ifdef SIMT_HOPPER
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4}], [%2];" ::"r"(shared_address(to)),
      "l"(map), "r"(shared_address(barrier)), "r"(column), "r"(row)
      : "memory");
#elif !defined(__CUDACC__)
  host_load_tile(to, map, barrier, column, row);
#endif
}

// What this thread wrote to shared memory, for TMA and WGMMA that come after a barrier. They read
// by another way than threads do (the asynchronous proxy), and may miss it without.
__device__ __forceinline__ void fence_for_async() {
#ifdef SIMT_HOPPER
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#elif !defined(__CUDACC__)
  host_fence_for_async();
#endif
}

// Registers of each thread of this warpgroup from here on.
template <int kRegisters>
__device__ __forceinline__ void fewer_registers() {
#ifdef SIMT_HOPPER
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}
template <int kRegisters>
__device__ __forceinline__ void more_registers() {
#ifdef SIMT_HOPPER
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}

}  // namespace assay::simt
