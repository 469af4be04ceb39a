// SPDX-License-Identifier: Apache-2.0
// What both kernels of attention by WGMMA are made of: tiles of keys and values that one thread
// loads, queries in shared memory, and the softmax of rows of fragments. For .cu files only.
#pragma once

#include "optimized/device/cuda/mma.h"
#include "optimized/device/cuda/wgmma.h"
#include "optimized/kernels/attention_rows_cuda.h"

namespace assay::cuda {

constexpr int kGroup = 128;  // threads of a warpgroup
constexpr int kThreads = 3 * kGroup;
constexpr int kTileKeys = 64;
constexpr int kSlab = 64;  // columns of a row of 128 bytes
constexpr int kAlign = 1024;
constexpr float kLog2E = 1.4426950408889634F;
// 128 x 24 + 256 x 240 registers are less than the 64 K of a multiprocessor.
constexpr int kLoaderRegisters = 24, kReaderRegisters = 240;

// Keys first … end - 1 of a tile: consecutive slots of the cache.
struct KeyTile {
  int first, end;
};
__device__ __forceinline__ KeyTile tile_from(const AttentionCall& call, int first, int last) {
  const int to_wrap = call.cache.slots - first % call.cache.slots;
  return {first, smaller(last + 1, first + smaller(kTileKeys, to_wrap))};
}

// Stages of kRows x (64 kSlabs) bf16, slab after slab. `full` says that one has landed, `empty`
// that its readers have released it.
template <int kRows, int kSlabs>
struct Stages {
  static constexpr int kSlabBytes = kRows * kSlab * 2;
  static constexpr int kBytes = kSlabs * kSlabBytes;
  unsigned char* tiles;
  simt::Mbarrier* full;
  simt::Mbarrier* empty;

  __device__ __forceinline__ unsigned char* at(int stage) const { return tiles + stage * kBytes; }

  // By one thread; `turn`: how often the stage was loaded before.
  __device__ __forceinline__ void load(int stage, int turn, const simt::TensorMap* map, int column,
                                       int row) const {
    if (turn > 0) {
      simt::mbarrier_wait(&empty[stage], (turn - 1) & 1);
    }
    simt::mbarrier_arrive(&full[stage], kBytes);
    for (int slab = 0; slab < kSlabs; ++slab) {
      simt::load_tile(at(stage) + slab * kSlabBytes, map, &full[stage], column + slab * kSlab, row);
    }
  }
  __device__ __forceinline__ void release(int stage) const {
    if (threadIdx.x % kWarp == 0) {
      simt::mbarrier_arrive(&empty[stage]);
    }
  }
};

template <int kCount>
__device__ __forceinline__ void init_barriers(simt::Mbarrier (&full)[kCount],
                                              simt::Mbarrier (&empty)[kCount], int reader_warps) {
  for (int s = 0; s < kCount; ++s) {
    simt::mbarrier_init(&full[s], 1);
    simt::mbarrier_init(&empty[s], static_cast<unsigned>(reader_warps));
  }
}

// Where 16-byte chunk c of a row of a slab of 64 rows lies.
__device__ __forceinline__ int chunk_in_slab(int row, int c) {
  return row * 128 + ((c ^ (row % 8)) * 16);
}

// 64 rows of queries from row0 on, rounded to bf16, slab after slab; by kCount threads, of which
// this is number t.
template <int kDim, int kCount>
__device__ __forceinline__ void put_queries(unsigned char* to, const AttentionCall& call, int row0,
                                            int t) {
  constexpr int kChunks = kDim / 8;
  for (int i = t; i < 64 * kChunks; i += kCount) {
    const int r = i / kChunks, c = i % kChunks;
    const QueryRow row = query_row(call, row0 + r);
    uint4 chunk = make_uint4(0, 0, 0, 0);
    if (row.token >= 0) {
      const auto* q = reinterpret_cast<const float4*>(
          call.queries.data + row.token * call.queries.stride + row.head * kDim + 8 * c);
      const float4 a = q[0], b = q[1];
      chunk = make_uint4(simt::pack_bf16(a.x, a.y), simt::pack_bf16(a.z, a.w),
                         simt::pack_bf16(b.x, b.y), simt::pack_bf16(b.z, b.w));
    }
    *reinterpret_cast<uint4*>(to + c / 8 * 64 * 128 + chunk_in_slab(r, c % 8)) = chunk;
  }
  simt::fence_for_async();
}

// s [64, kKeys] = queries keys^T, both with 64 kSlabs numbers in a row.
template <int kKeys, int kSlabs>
__device__ __forceinline__ void score(const unsigned char* queries, const unsigned char* keys,
                                      float (&s)[kKeys / 2]) {
  const simt::Descriptor q = simt::tile_descriptor(queries), k = simt::tile_descriptor(keys);
#pragma unroll
  for (int slab = 0; slab < kSlabs; ++slab) {
#pragma unroll
    for (int i = 0; i < kSlab / 16; ++i) {
      simt::wgmma<kKeys>(s, q + slab * (64 * 128 >> 4) + i * simt::kNextK,
                         k + slab * (kKeys * 128 >> 4) + i * simt::kNextK, slab + i > 0);
    }
  }
  simt::wgmma_commit();
}

// Of rows lane / 4 and lane / 4 + 8 of a warp: the largest score, in units of log2, and the sum of
// this thread's shares so far.
struct Softmax {
  float most[2] = {kHidden, kHidden};
  float sum[2] = {0, 0};
};

// Of keys first … first + 2 kCount - 1: those that the row does not see get kHidden. By way of
// bits, for registers are scarce here.
template <int kCount>
__device__ __forceinline__ void hide(const AttentionCall& call, const QueryKeys& row, int half,
                                     int first, int end, float (&s)[kCount]) {
  const int last = smaller(row.last, end - 1);
  if (row.mask < 0 && row.first <= first && last >= first + 2 * kCount - 1) {
    return;
  }
  unsigned open = 0;  // bit i: key i of this thread
#pragma unroll 1
  for (int i = 0; i < kCount / 2; ++i) {
    const int key = first + static_cast<int>(threadIdx.x) % 4 * 2 + i / 2 * 8 + i % 2;
    const bool seen = key >= row.first && key <= last &&
                      (row.mask < 0 || call.masks[row.mask + key - call.first_key] != 0);
    open |= seen ? 1U << i : 0U;
  }
#pragma unroll
  for (int i = 0; i < kCount / 2; ++i) {
    float& score = s[i / 2 * 4 + 2 * half + i % 2];
    score = (open >> i & 1U) != 0 ? score : kHidden;
  }
}

// Scores of keys from `first` on to units of log2, kHidden where the row does not see the key; the
// largest of each row.
template <int kCount>
__device__ __forceinline__ void see(const AttentionCall& call, const QueryKeys (&rows)[2],
                                    int first, int end, float (&s)[kCount], float (&most)[2]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    hide(call, rows[half], half, first, end, s);
    most[half] = kHidden;
#pragma unroll
    for (int i = 0; i < kCount / 2; ++i) {
      float& score = s[i / 2 * 4 + 2 * half + i % 2];
      score = score == kHidden ? kHidden : score * kLog2E;
      most[half] = fmaxf(most[half], score);
    }
    most[half] = quad_max(most[half]);
  }
}

// Scores to shares, in place, with `most` of the new ones; what the sums so far shrink by.
template <int kCount>
__device__ __forceinline__ void share(Softmax& softmax, const float (&most)[2], float (&s)[kCount],
                                      float (&shrink)[2]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float now = fmaxf(softmax.most[half], most[half]);
    shrink[half] = exp2f(softmax.most[half] - now);
    softmax.most[half] = now;
    float sum = 0;
#pragma unroll
    for (int i = 2 * half; i < kCount; i += 4) {
#pragma unroll
      for (int e = i; e < i + 2; ++e) {
        s[e] = s[e] == kHidden ? 0.0F : exp2f(s[e] - now);
        sum += s[e];
      }
    }
    softmax.sum[half] = softmax.sum[half] * shrink[half] + sum;
  }
}

template <int kCount>
__device__ __forceinline__ void shrink_by(const float (&shrink)[2], float (&out)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    out[i] *= shrink[i % 4 / 2];
  }
}

// 64 x 256 of the result: rows `row` and row + 8 times 1 / sum, columns from `column` of their head
// on.
__device__ __forceinline__ void store(const AttentionCall& call, int row, int head_dim, int column,
                                      const float (&sum)[2], const float (&out)[128]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const QueryRow query = query_row(call, row + 8 * half);
    if (query.token < 0) {
      continue;
    }
    const float factor = sum[half] == 0 ? 0.0F : 1.0F / sum[half];
    float* to = call.out.data + query.token * call.out.stride + query.head * head_dim + column +
                lane % 4 * 2;
#pragma unroll
    for (int j = 0; j < 32; ++j) {
      *reinterpret_cast<float2*>(to + 8 * j) =
          make_float2(out[4 * j + 2 * half] * factor, out[4 * j + 2 * half + 1] * factor);
    }
  }
}

}  // namespace assay::cuda
