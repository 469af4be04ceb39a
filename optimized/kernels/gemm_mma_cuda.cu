// SPDX-License-Identifier: Apache-2.0
// One block: a tile of y. Its rows of x and of w come in slices of 32 deep through a ring of three
// stages in shared memory; the warps share the tile in a grid of their own.
#include "optimized/device/cuda/mma.h"
#include "optimized/kernels/gemm_checks_cuda.h"
#include "optimized/kernels/gemm_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kDeep = 32;           // bf16 of a row at a time: 64 bytes
constexpr int kChunks = kDeep / 8;  // of 16 bytes
constexpr int kStages = 3;
constexpr int kWarp = 32;

// Warps stand in a grid of kWarpRows x kWarpColumns; each computes 16 kTall x 8 kWide of y.
template <int kWarpRows, int kWarpColumns, int kTall, int kWide>
struct Tile {
  static constexpr int kRows = kWarpRows * 16 * kTall;
  static constexpr int kColumns = kWarpColumns * 8 * kWide;
  static constexpr int kThreads = kWarpRows * kWarpColumns * kWarp;
  static constexpr int kStage = (kRows + kColumns) * kDeep;  // bf16
  static constexpr std::size_t kBytes = std::size_t{2} * kStages * kStage;
};
using Large = Tile<2, 4, 4, 4>;  // 128 x 128
using Small = Tile<2, 2, 1, 4>;  // 32 x 64

// Where chunk c of a row lies: rotated so that eight rows of one chunk meet all banks.
__device__ __forceinline__ int chunk_at(int row, int c) {
  return row * kDeep + ((c ^ (row / 2 % kChunks)) * 8);
}

// `count` rows of 32 bf16 from column k on; what is outside the matrix is 0.
template <int kThreads>
__device__ __forceinline__ void load_rows(__nv_bfloat16* to, const std::uint16_t* from, int count,
                                          int row0, int rows, int k, int depth) {
  for (int i = static_cast<int>(threadIdx.x); i < count * kChunks; i += kThreads) {
    const int row = i / kChunks, c = i % kChunks, column = k + 8 * c;
    const bool inside = row0 + row < rows && column < depth;
    const std::uint16_t* at =
        inside ? from + static_cast<std::size_t>(row0 + row) * depth + column : from;
    simt::copy16_async(to + chunk_at(row, c), at, inside ? 16 : 0);
  }
}

// What a block works on.
struct Work {
  const std::uint16_t* x;
  const std::uint16_t* w;
  float* y;
  int rows, row0, column0;
};

template <class T>
__device__ __forceinline__ void load_stage(__nv_bfloat16* ring, const Gemm& call, const Work& work,
                                           int step) {
  __nv_bfloat16* stage = ring + step % kStages * T::kStage;
  if (step * kDeep < call.depth) {
    load_rows<T::kThreads>(stage, work.x, T::kRows, work.row0, work.rows, step * kDeep, call.depth);
    load_rows<T::kThreads>(stage + T::kRows * kDeep, work.w, T::kColumns, work.column0,
                           call.columns, step * kDeep, call.depth);
  }
  simt::copy_commit_group();
}

// A slice of 16 deep of the stage into the sums of this warp.
template <int kTall, int kWide>
__device__ __forceinline__ void multiply(const __nv_bfloat16* x, const __nv_bfloat16* w, int k,
                                         float (&sum)[kTall][kWide][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  unsigned a[kTall][4], b[kWide / 2][4];
#pragma unroll
  for (int i = 0; i < kTall; ++i) {
    simt::load_matrices<false>(a[i], x + chunk_at(16 * i + lane % 16, 2 * k + lane / 16));
  }
#pragma unroll
  for (int j = 0; j < kWide / 2; ++j) {
    const int row = 16 * j + lane / 16 * 8 + lane % 8;
    simt::load_matrices<false>(b[j], w + chunk_at(row, 2 * k + lane / 8 % 2));
  }
#pragma unroll
  for (int i = 0; i < kTall; ++i) {
#pragma unroll
    for (int j = 0; j < kWide; ++j) {
      const unsigned pair[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
      simt::mma_m16n8k16(sum[i][j], a[i], pair);
    }
  }
}

template <int kTall, int kWide>
__device__ __forceinline__ void store(const Work& work, int columns, int row0, int column0,
                                      const float (&sum)[kTall][kWide][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int i = 0; i < kTall; ++i) {
#pragma unroll
    for (int j = 0; j < kWide; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int row = row0 + 16 * i + lane / 4 + 8 * (e / 2);
        const int column = column0 + 8 * j + lane % 4 * 2 + e % 2;
        if (row < work.rows && column < columns) {
          work.y[static_cast<std::size_t>(row) * columns + column] = sum[i][j][e];
        }
      }
    }
  }
}

__device__ __forceinline__ Work work_of(const Gemm& call, int tile_rows, int tile_columns) {
  Work work{call.x,
            call.w,
            call.y,
            call.rows,
            static_cast<int>(blockIdx.y) * tile_rows,
            static_cast<int>(blockIdx.x) * tile_columns};
  if (call.experts > 0) {
    const int e = static_cast<int>(blockIdx.z), first = call.first[e];
    work.rows = call.first[e + 1] - first;
    work.x += static_cast<std::size_t>(first) * call.depth;
    work.y += static_cast<std::size_t>(first) * call.columns;
    work.w += static_cast<std::size_t>(e) * call.columns * call.depth;
  }
  return work;
}

template <int kWarpRows, int kWarpColumns, int kTall, int kWide>
__global__ void __launch_bounds__(kWarpRows* kWarpColumns* kWarp) gemm_mma_kernel(Gemm call) {
  using T = Tile<kWarpRows, kWarpColumns, kTall, kWide>;
  SIMT_DYN_SHARED(__nv_bfloat16, ring);
  const Work work = work_of(call, T::kRows, T::kColumns);
  if (work.row0 >= work.rows) {
    return;
  }
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int warp_row = warp / kWarpColumns * 16 * kTall;
  const int warp_column = warp % kWarpColumns * 8 * kWide;
  const int steps = (call.depth + kDeep - 1) / kDeep;
  float sum[kTall][kWide][4] = {};
  for (int step = 0; step < kStages - 1; ++step) {
    load_stage<T>(ring, call, work, step);
  }
  for (int step = 0; step < steps; ++step) {
    simt::copy_wait_group<kStages - 2>();
    __syncthreads();  // the stage is there, and the one before it is no longer read
    load_stage<T>(ring, call, work, step + kStages - 1);
    const __nv_bfloat16* stage = ring + step % kStages * T::kStage;
    for (int k = 0; k < kDeep / 16; ++k) {
      multiply(stage + warp_row * kDeep, stage + (T::kRows + warp_column) * kDeep, k, sum);
    }
  }
  store(work, call.columns, work.row0 + warp_row, work.column0 + warp_column, sum);
}

template <int kWarpRows, int kWarpColumns, int kTall, int kWide>
void launch(Stream& stream, const Gemm& call, Tile<kWarpRows, kWarpColumns, kTall, kWide> tile) {
  const dim3 grid = gemm_grid(call, tile.kRows, tile.kColumns);
  SIMT_LAUNCH(stream, grid, tile.kThreads, tile.kBytes,
              gemm_mma_kernel<kWarpRows, kWarpColumns, kTall, kWide>, call);
}

__global__ void round_kernel(RoundRows call) {
  const long row = blockIdx.x;
  const int i = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  if (i < call.stride) {
    const long from = call.sorted == nullptr ? row : call.sorted[row] / call.slots;
    const float x = i < call.x.columns ? call.x.data[from * call.x.stride + i] : 0.0F;
    call.to[row * call.stride + i] = __bfloat16_as_ushort(__float2bfloat16(x));
  }
}

}  // namespace

void gemm_mma(Stream& stream, const Gemm& call) {
  check_gemm("gemm_mma", call);
  const int rows = call.experts > 0 ? call.most : call.rows;
  if (rows == 0 || call.columns == 0) {
    return;
  }
  if (rows > 64) {
    launch(stream, call, Large{});
  } else {
    launch(stream, call, Small{});
  }
}

void round_to_bf16(Stream& stream, const RoundRows& call) {
  constexpr int kThreads = 256;
  if (call.rows > 0) {
    const dim3 grid(static_cast<unsigned>(call.rows),
                    static_cast<unsigned>((call.stride + kThreads - 1) / kThreads));
    SIMT_LAUNCH(stream, grid, kThreads, 0, round_kernel, call);
  }
}

}  // namespace assay::cuda
