// SPDX-License-Identifier: Apache-2.0
// Hopper's asynchronous parts (sm_90a): mbarriers, bulk copies of tensor tiles (TMA), products of a
// warpgroup (WGMMA). On a CPU they are late on purpose: a copy lands when somebody waits for its
// mbarrier, a product runs at its wait; who does not wait reads poison.
//
// Tiles lie K-major with the 128-byte swizzle: rows of 64 bf16, eight rows are 1024 bytes, and
// 16-byte chunk c of row r lies at chunk c xor r mod 8. They begin at multiples of 1024 of the
// shared address.
//
// D of wgmma_m64n128k16, of warp w of its warpgroup and lane l, g = l / 4, t = l % 4: d[4 j + e] is
// row 16 w + g + 8 (e / 2), column 8 j + 2 t + e % 2.   Source: PTX ISA, 9.7.13, 9.7.16.
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
using Descriptor = unsigned long long;
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

// Of a tile of rows x 64; 16 further along K: + kNextK.
constexpr Descriptor kNextK = 2;
__device__ __forceinline__ Descriptor tile_descriptor(const void* tile) {
  constexpr Descriptor kEightRows = 1024 >> 4, kSwizzle128 = 1;
  return static_cast<Descriptor>((shared_address(tile) & 0x3ffffu) >> 4) | Descriptor{1} << 16 |
         kEightRows << 32 | kSwizzle128 << 62;
}

// Before the first product of a group: registers of D are written.
__device__ __forceinline__ void wgmma_fence() {
#ifdef SIMT_HOPPER
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

// D (64 x 128, f32) += A (64 x 16) B (128 x 16)^T of one warpgroup, both bf16 in shared memory.
__device__ __forceinline__ void wgmma_m64n128k16(float (&d)[64], Descriptor a, Descriptor b) {
#ifdef SIMT_HOPPER
  // clang-format off
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
      "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, "
      "%64, %65, 1, 1, 1, 0, 0;"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]),
        "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]),
        "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), "+f"(d[16]), "+f"(d[17]),
        "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]),
        "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]),
        "+f"(d[30]), "+f"(d[31]), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]),
        "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), "+f"(d[40]), "+f"(d[41]),
        "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]),
        "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]),
        "+f"(d[54]), "+f"(d[55]), "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]),
        "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63])
      : "l"(a), "l"(b));
  // clang-format on
#elif !defined(__CUDACC__)
  host_wgmma(d, a, b, 128);
#endif
}

__device__ __forceinline__ void wgmma_commit() {
#ifdef SIMT_HOPPER
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#elif !defined(__CUDACC__)
  host_wgmma_commit();
#endif
}

// Until at most kLeft groups are under way.
template <int kLeft>
__device__ __forceinline__ void wgmma_wait() {
#ifdef SIMT_HOPPER
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
#elif !defined(__CUDACC__)
  host_wgmma_wait(kLeft);
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
