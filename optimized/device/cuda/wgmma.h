// SPDX-License-Identifier: Apache-2.0
// Products of a warpgroup (WGMMA, sm_90a): D (64 x N, f32) += A (64 x 16) B (16 x N), both bf16. On
// a CPU a product runs at its wait and not before.
//
// D of warp w of its warpgroup and lane l, g = l / 4, t = l % 4: d[4 j + e] is row 16 w + g + 8 (e
// / 2), column 8 j + 2 t + e % 2. A in registers lies as that of mma.h, for the 16 rows of the
// warp.
//
// Operands in shared memory are tiles with the 128-byte swizzle (hopper.h):
//
//   tile_descriptor       64 of K in a row of 128 bytes (K-major): rows of A, columns of B
//   transposed_descriptor 64 columns of B in a row of 128 bytes (N-major), a row for each of K; 64
//                         further columns `slab` bytes on. For B with kTransposed.
//
// Source: PTX ISA, 9.7.15.5 (layouts, strides of descriptors).
#pragma once

#include "optimized/device/cuda/hopper.h"

namespace assay::simt {

using Descriptor = unsigned long long;

__device__ __forceinline__ Descriptor swizzled_descriptor(const void* tile, unsigned leading) {
  constexpr Descriptor kEightRows = 1024 >> 4, kSwizzle128 = 1;
  return static_cast<Descriptor>((shared_address(tile) & 0x3ffffu) >> 4) |
         static_cast<Descriptor>(leading) << 16 | kEightRows << 32 | kSwizzle128 << 62;
}

// 16 further along K: + kNextK.
constexpr Descriptor kNextK = 2;
__device__ __forceinline__ Descriptor tile_descriptor(const void* tile) {
  return swizzled_descriptor(tile, 1);
}

// 16 further along K: + kNextTransposedK.
constexpr Descriptor kNextTransposedK = 16 * 128 >> 4;
__device__ __forceinline__ Descriptor transposed_descriptor(const void* tile, unsigned slab) {
  return swizzled_descriptor(tile, slab >> 4);
}

// Before the first product of a group, after the last write to a register of A or D.
__device__ __forceinline__ void wgmma_fence() {
#ifdef SIMT_HOPPER
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

#ifdef SIMT_HOPPER
// clang-format off
#define SIMT_R16 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define SIMT_R32 SIMT_R16 ",%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define SIMT_R64 SIMT_R32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47" \
  ",%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define SIMT_R128 SIMT_R64 ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79" \
  ",%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95" \
  ",%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111" \
  ",%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define SIMT_D4(d, i) "+f"(d[i]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3])
#define SIMT_D16(d, i) SIMT_D4(d, i), SIMT_D4(d, (i) + 4), SIMT_D4(d, (i) + 8), SIMT_D4(d, (i) + 12)
#define SIMT_D32(d, i) SIMT_D16(d, i), SIMT_D16(d, (i) + 16)
#define SIMT_D64(d, i) SIMT_D32(d, i), SIMT_D32(d, (i) + 32)
#define SIMT_D128(d, i) SIMT_D64(d, i), SIMT_D64(d, (i) + 64)
// n columns, their registers and operands; the numbers of the operands after them.
#define SIMT_WGMMA(n, registers, operands, a_at, b_at, p_at, t_at)                       \
  asm volatile("{.reg .pred p;\nsetp.ne.b32 p, %" #p_at ", 0;\n"                        \
               "wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 "               \
               "{" registers "}, %" #a_at ", %" #b_at ", p, 1, 1, 0, %" #t_at ";}"       \
               : operands                                                                \
               : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(kTransposed ? 1 : 0))
// clang-format on
#endif

// B has kColumns; with `add` false D is overwritten.
template <int kColumns, bool kTransposed = false>
__device__ __forceinline__ void wgmma(float (&d)[kColumns / 2], Descriptor a, Descriptor b,
                                      bool add = true) {
  static_assert(kColumns == 32 || kColumns == 64 || kColumns == 128 || kColumns == 256);
#ifdef SIMT_HOPPER
  if constexpr (kColumns == 32) {
    SIMT_WGMMA(32, SIMT_R16, SIMT_D16(d, 0), 16, 17, 18, 19);
  } else if constexpr (kColumns == 64) {
    SIMT_WGMMA(64, SIMT_R32, SIMT_D32(d, 0), 32, 33, 34, 35);
  } else if constexpr (kColumns == 128) {
    SIMT_WGMMA(128, SIMT_R64, SIMT_D64(d, 0), 64, 65, 66, 67);
  } else {
    SIMT_WGMMA(256, SIMT_R128, SIMT_D128(d, 0), 128, 129, 130, 131);
  }
#elif !defined(__CUDACC__)
  host_wgmma(d, {a, b, nullptr, kColumns, kTransposed, add});
#endif
}

// A in registers, which stay as they are until the product is over; B with 256 columns, transposed.
__device__ __forceinline__ void wgmma_256_transposed(float (&d)[128], const unsigned (&a)[4],
                                                     Descriptor b) {
#ifdef SIMT_HOPPER
  asm volatile("wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" SIMT_R128
               "}, {%128,%129,%130,%131}, %132, 1, 1, 1, 1;"
               : SIMT_D128(d, 0)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
#elif !defined(__CUDACC__)
  host_wgmma(d, {0, b, a, 256, true, true});
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

// Right after a wait: what is read from these registers is read after it. The compiler does not
// know that products write them, and read those of A, later than their instruction says.
template <int kCount>
__device__ __forceinline__ void wgmma_settle(float (&d)[kCount]) {
#ifdef SIMT_HOPPER
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    asm volatile("" : "+f"(d[i])::"memory");
  }
#else
  (void)d;
#endif
}
template <int kSteps>
__device__ __forceinline__ void wgmma_settle(unsigned (&a)[kSteps][4]) {
#ifdef SIMT_HOPPER
#pragma unroll
  for (int i = 0; i < 4 * kSteps; ++i) {
    asm volatile("" : "+r"(a[i / 4][i % 4])::"memory");
  }
#else
  (void)a;
#endif
}

}  // namespace assay::simt
