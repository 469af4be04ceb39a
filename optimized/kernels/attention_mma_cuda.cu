// SPDX-License-Identifier: Apache-2.0
// One block: 64 rows of queries, those of the heads that share keys, of some tokens; 32 keys at a
// time. A warp has 16 rows. Heads of 512 have too many sums for the registers of one: there two
// warps have the same rows, both compute the scores, and each half of the columns of the result.
#include "optimized/kernels/attention_mma_cuda.h"

#include <stdexcept>
#include <string>

#include "optimized/device/cuda/mma.h"
#include "optimized/kernels/attention_rows_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kRows = 64;  // of queries
constexpr int kKeys = 32;  // at a time
constexpr int kKeyTiles = kKeys / 8;

template <int kDim>
struct Shape {
  static constexpr int kHalves = kDim > 256 ? 2 : 1;
  static constexpr int kOut = kDim / kHalves;  // columns of the result of one warp
  static constexpr int kThreads = 4 * kWarp * kHalves;
  static constexpr std::size_t kBytes = std::size_t{2} * (kRows + 2 * kKeys) * kDim;
};

// Where chunk c (16 bytes) of a row lies: rotated so that eight rows of one chunk meet all banks.
template <int kDim>
__device__ __forceinline__ int chunk_at(int row, int c) {
  return row * kDim + (c ^ (row % 8)) * 8;
}

// Queries of the block, rounded to bf16.
template <int kDim>
__device__ __forceinline__ void load_queries(__nv_bfloat16* to, const AttentionCall& call,
                                             int row0) {
  for (int i = static_cast<int>(threadIdx.x); i < kRows * kDim; i += Shape<kDim>::kThreads) {
    const int r = i / kDim, d = i % kDim;
    const QueryRow row = query_row(call, row0 + r);
    const float q = row.token < 0
                        ? 0.0F
                        : call.queries.data[row.token * call.queries.stride + row.head * kDim + d];
    to[chunk_at<kDim>(r, d / 8) + d % 8] = __float2bfloat16(q);
  }
}

// Keys or values of tokens first … first + 31 on their way to shared memory; after `last`, zeros.
template <int kDim>
__device__ __forceinline__ void load_cached(__nv_bfloat16* to, const void* from,
                                            const LayerCache& cache, int first, int last) {
  const auto* all = static_cast<const std::uint16_t*>(from);
  constexpr int kChunks = kDim / 8;
  for (int i = static_cast<int>(threadIdx.x); i < kKeys * kChunks; i += Shape<kDim>::kThreads) {
    const int r = i / kChunks, c = i % kChunks, key = first + r;
    const bool there = key <= last;
    const long slot = there ? key % cache.slots : 0;
    const long at = (slot * cache.heads + static_cast<int>(blockIdx.y)) * kDim + 8 * c;
    simt::copy16_async(to + chunk_at<kDim>(r, c), all + at, there ? 16 : 0);
  }
  simt::copy_commit_group();
}

// Scores of 16 rows with 32 keys.
template <int kDim>
__device__ __forceinline__ void score(const __nv_bfloat16* queries, const __nv_bfloat16* keys,
                                      float (&s)[kKeyTiles][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      s[j][e] = 0;
    }
  }
#pragma unroll 4
  for (int k = 0; k < kDim / 16; ++k) {
    unsigned a[4];
    simt::load_matrices<false>(a, queries + chunk_at<kDim>(lane % 16, 2 * k + lane / 16));
#pragma unroll
    for (int j = 0; j < kKeyTiles / 2; ++j) {
      unsigned b[4];
      const int key = 16 * j + lane / 16 * 8 + lane % 8;
      simt::load_matrices<false>(b, keys + chunk_at<kDim>(key, 2 * k + lane / 8 % 2));
      simt::mma_m16n8k16(s[2 * j], a, {b[0], b[1]});
      simt::mma_m16n8k16(s[2 * j + 1], a, {b[2], b[3]});
    }
  }
}

// Of rows lane / 4 and lane / 4 + 8 of a warp: the largest score and the sum of shares so far.
struct Softmax {
  float most[2] = {kHidden, kHidden};
  float sum[2] = {0, 0};
};

// Scores to shares, in place; what the sums so far shrink by.
__device__ __forceinline__ void share(Softmax& softmax, const AttentionCall& call,
                                      const QueryRow (&rows)[2], int first,
                                      float (&s)[kKeyTiles][4], float (&shrink)[2]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    bool seen[kKeyTiles][2];
    float most = kHidden;
#pragma unroll
    for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        seen[j][e] = sees(rows[half].keys, call, first + 8 * j + lane % 4 * 2 + e);
        most = seen[j][e] ? fmaxf(most, s[j][2 * half + e]) : most;
      }
    }
    most = fmaxf(softmax.most[half], quad_max(most));
    shrink[half] = expf(softmax.most[half] - most);
    float sum = 0;
#pragma unroll
    for (int j = 0; j < kKeyTiles; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        float& score = s[j][2 * half + e];
        score = seen[j][e] ? expf(score - most) : 0.0F;
        sum += score;
      }
    }
    softmax.most[half] = most;
    softmax.sum[half] = softmax.sum[half] * shrink[half] + quad_sum(sum);
  }
}

// out += shares values, for kOut columns from `column` on.
template <int kDim>
__device__ __forceinline__ void gather(const float (&s)[kKeyTiles][4], const __nv_bfloat16* values,
                                       int column, const float (&shrink)[2],
                                       float (&out)[Shape<kDim>::kOut / 8][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int n = 0; n < Shape<kDim>::kOut / 8; ++n) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      out[n][e] *= shrink[e / 2];
    }
  }
#pragma unroll
  for (int k = 0; k < kKeys / 16; ++k) {
    const float(&low)[4] = s[2 * k];
    const float(&high)[4] = s[2 * k + 1];
    const unsigned a[4] = {simt::pack_bf16(low[0], low[1]), simt::pack_bf16(low[2], low[3]),
                           simt::pack_bf16(high[0], high[1]), simt::pack_bf16(high[2], high[3])};
    const int key = 16 * k + lane / 8 % 2 * 8 + lane % 8;
#pragma unroll
    for (int n = 0; n < Shape<kDim>::kOut / 16; ++n) {
      unsigned b[4];
      simt::load_matrices<true>(b, values + chunk_at<kDim>(key, column / 8 + 2 * n + lane / 16));
      simt::mma_m16n8k16(out[2 * n], a, {b[0], b[1]});
      simt::mma_m16n8k16(out[2 * n + 1], a, {b[2], b[3]});
    }
  }
}

template <int kDim>
__device__ __forceinline__ void store(const AttentionCall& call, const QueryRow (&rows)[2],
                                      int column, const Softmax& softmax,
                                      const float (&out)[Shape<kDim>::kOut / 8][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (rows[half].token < 0) {
      continue;
    }
    float* to = call.out.data + rows[half].token * call.out.stride + rows[half].head * kDim;
    const float sum = softmax.sum[half];
    const float factor = sum == 0 ? 0.0F : 1.0F / sum;
#pragma unroll
    for (int n = 0; n < Shape<kDim>::kOut / 8; ++n) {
      to[column + 8 * n + lane % 4 * 2] = out[n][2 * half] * factor;
      to[column + 8 * n + lane % 4 * 2 + 1] = out[n][2 * half + 1] * factor;
    }
  }
}

template <int kDim>
__global__ void __launch_bounds__(Shape<kDim>::kThreads, 1)
    attention_mma_kernel(AttentionCall call) {
  SIMT_DYN_SHARED(__nv_bfloat16, queries);       // [kRows][kDim]
  __nv_bfloat16* keys = queries + kRows * kDim;  // [kKeys][kDim]
  __nv_bfloat16* values = keys + kKeys * kDim;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int row0 = static_cast<int>(blockIdx.x) * kRows, mine = warp % 4 * 16;
  const int column = warp / 4 * Shape<kDim>::kOut;
  const QueryRow rows[2] = {query_row(call, row0 + mine + lane / 4),
                            query_row(call, row0 + mine + lane / 4 + 8)};
  const Span span = span_of(call, row0, kRows);
  Softmax softmax;
  float out[Shape<kDim>::kOut / 8][4] = {};
  load_queries<kDim>(queries, call, row0);
  if (span.first <= span.last) {
    load_cached<kDim>(keys, call.cache.keys, call.cache, span.first, span.last);
  }
  for (int first = span.first; first <= span.last; first += kKeys) {
    load_cached<kDim>(values, call.cache.values, call.cache, first, span.last);
    simt::copy_wait_group<1>();
    __syncthreads();  // keys are there, of all threads
    float s[kKeyTiles][4], shrink[2];
    score<kDim>(queries + mine * kDim, keys, s);
    __syncthreads();  // and no longer read
    load_cached<kDim>(keys, call.cache.keys, call.cache, first + kKeys, span.last);
    share(softmax, call, rows, first, s, shrink);
    simt::copy_wait_group<1>();
    __syncthreads();  // values are there
    gather<kDim>(s, values, column, shrink, out);
    __syncthreads();
  }
  simt::copy_wait_group<0>();
  store<kDim>(call, rows, column, softmax, out);
}

template <int kDim>
void attend(Stream& stream, const AttentionCall& call) {
  const int rows = call.queries.rows * (call.heads / call.cache.heads);
  const dim3 grid(static_cast<unsigned>((rows + kRows - 1) / kRows),
                  static_cast<unsigned>(call.cache.heads));
  SIMT_LAUNCH(stream, grid, Shape<kDim>::kThreads, Shape<kDim>::kBytes, attention_mma_kernel<kDim>,
              call);
}

}  // namespace

bool attention_mma_takes(const AttentionCall& call) {
  const int d = call.cache.head_dim;
  return call.cache.type == KeyType::kBf16 && call.pieces == 1 &&
         (d == 64 || d == 128 || d == 256 || d == 512);
}

void attention_mma(Stream& stream, const AttentionCall& call) {
  if (!attention_mma_takes(call)) {
    throw std::invalid_argument("attention_mma: got heads of " +
                                std::to_string(call.cache.head_dim) +
                                " numbers, expected 64, 128, 256 or 512, in one piece, of bf16");
  }
  switch (call.cache.head_dim) {
    case 64:
      return attend<64>(stream, call);
    case 128:
      return attend<128>(stream, call);
    case 256:
      return attend<256>(stream, call);
    default:
      return attend<512>(stream, call);
  }
}

}  // namespace assay::cuda
