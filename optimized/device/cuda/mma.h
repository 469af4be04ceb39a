// SPDX-License-Identifier: Apache-2.0
// Products of tiles by one warp (sm_80): D (16 x 8, f32) += A (16 x 16, bf16) B (16 x 8, bf16).
//
// Lane l has group g = l / 4 and place t = l % 4. A register holds two bf16, the lower one first:
//
//   a0 (g, 2t)  a1 (g + 8, 2t)  a2 (g, 2t + 8)  a3 (g + 8, 2t + 8)        row, column
//   b0 (2t, g)  b1 (2t + 8, g)                                            two rows of one column
//   d0 (g, 2t)  d1 (g, 2t + 1)  d2 (g + 8, 2t)  d3 (g + 8, 2t + 1)
//
// load_matrices reads four matrices of 8 x 8 bf16 from shared memory: lanes 8 i to 8 i + 7 give the
// rows of matrix i, 16 bytes each; register i of lane l is row l / 4, columns 2t and 2t + 1; of the
// transposed one, rows 2t and 2t + 1 of column l / 4.  Source: PTX ISA, 9.7.15.
#pragma once

#include "optimized/device/cuda/copy.h"
#include "optimized/device/cuda/simt.h"
#ifndef __CUDACC__
#include "optimized/device/cuda/mma_host.h"
#endif

namespace assay::simt {

__device__ __forceinline__ void mma_m16n8k16(float (&d)[4], const unsigned (&a)[4],
                                             const unsigned (&b)[2]) {
#ifdef __CUDA_ARCH__
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif !defined(__CUDACC__)
  host_mma_m16n8k16(d, a, b);
#endif
}

template <bool kTransposed>
__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const void* row) {
#ifdef __CUDA_ARCH__
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
  }
#elif !defined(__CUDACC__)
  host_load_matrices(r, row, kTransposed);
#endif
}

// Two floats as a register of bf16, the first in the lower half.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
  return static_cast<unsigned>(__bfloat16_as_ushort(__float2bfloat16(low))) |
         static_cast<unsigned>(__bfloat16_as_ushort(__float2bfloat16(high))) << 16;
}

}  // namespace assay::simt
