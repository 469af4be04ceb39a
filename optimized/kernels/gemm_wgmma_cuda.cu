// SPDX-License-Identifier: Apache-2.0
// One block: a tile of 128 x 128 of y. One thread of the first warpgroup brings tiles of x and w by
// TMA into a ring of four stages; two warpgroups multiply, 64 rows each. `full` says that a stage
// has landed, `empty` that both have read it.
#include "optimized/device/cuda/wgmma.h"
#include "optimized/kernels/gemm_checks_cuda.h"
#include "optimized/kernels/gemm_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kTile = 128;  // rows and columns of y
constexpr int kDeep = 64;   // bf16: the 128 bytes of the swizzle
constexpr int kStages = 4;
constexpr int kGroup = 128;  // threads of a warpgroup
constexpr int kThreads = 3 * kGroup;
constexpr int kReaders = 2 * kGroup / 32;      // warps that release a stage
constexpr int kTileBytes = kTile * kDeep * 2;  // of x or of w
constexpr int kStageBytes = 2 * kTileBytes;
constexpr int kAlign = 1024;
constexpr std::size_t kBytes = std::size_t{kStages} * kStageBytes + kAlign;
// 128 x 40 + 256 x 232 registers are less than the 64 K of a multiprocessor.
constexpr int kLoaderRegisters = 40, kReaderRegisters = 232;

struct Ring {
  unsigned char* tiles;
  simt::Mbarrier* full;
  simt::Mbarrier* empty;

  __device__ __forceinline__ unsigned char* x(int stage) const {
    return tiles + stage * kStageBytes;
  }
  __device__ __forceinline__ unsigned char* w(int stage) const { return x(stage) + kTileBytes; }
};

__device__ __forceinline__ void load_tiles(const Ring& ring, const simt::TensorMap* x,
                                           const simt::TensorMap* w, int row, int column,
                                           int steps) {
  for (int i = 0; i < steps; ++i) {
    const int s = i % kStages;
    if (i >= kStages) {
      simt::mbarrier_wait(&ring.empty[s], (i / kStages - 1) & 1);
    }
    simt::mbarrier_arrive(&ring.full[s], kStageBytes);
    simt::load_tile(ring.x(s), x, &ring.full[s], i * kDeep, row);
    simt::load_tile(ring.w(s), w, &ring.full[s], i * kDeep, column);
  }
}

// 64 rows of the tile; a stage is released when the products that read it are over, one step later.
__device__ __forceinline__ void multiply_tiles(const Ring& ring, int group, int steps,
                                               float (&sum)[64]) {
  const bool elected = threadIdx.x % 32 == 0;
  for (int i = 0; i < steps; ++i) {
    const int s = i % kStages;
    simt::mbarrier_wait(&ring.full[s], (i / kStages) & 1);
    simt::wgmma_fence();
    const simt::Descriptor x = simt::tile_descriptor(ring.x(s) + group * kTileBytes / 2);
    const simt::Descriptor w = simt::tile_descriptor(ring.w(s));
#pragma unroll
    for (int k = 0; k < kDeep / 16; ++k) {
      simt::wgmma<128>(sum, x + simt::kNextK * k, w + simt::kNextK * k);
    }
    simt::wgmma_commit();
    simt::wgmma_wait<1>();
    if (i > 0 && elected) {
      simt::mbarrier_arrive(&ring.empty[(i - 1) % kStages]);
    }
  }
  simt::wgmma_wait<0>();
}

struct Target {
  float* y;
  int rows, columns;  // of y, from its first row and column of the tile on
  int stride;
};

__device__ __forceinline__ void store(const Target& to, int group, const float (&sum)[64]) {
  const int t = static_cast<int>(threadIdx.x) % kGroup, lane = t % 32;
  const int row = group * 64 + t / 32 * 16 + lane / 4;
#pragma unroll
  for (int i = 0; i < 64; ++i) {
    const int r = row + i % 4 / 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
    if (r < to.rows && column < to.columns) {
      to.y[static_cast<std::size_t>(r) * to.stride + column] = sum[i];
    }
  }
}

__global__ void __launch_bounds__(kThreads, 1)
    gemm_wgmma_kernel(const __grid_constant__ simt::TensorMap x,
                      const __grid_constant__ simt::TensorMap w, Gemm call) {
#if defined(SIMT_HOPPER) || !defined(__CUDA_ARCH__)
  SIMT_DYN_SHARED(unsigned char, raw);
  SIMT_SHARED(simt::Mbarrier, full, [kStages]);
  SIMT_SHARED(simt::Mbarrier, empty, [kStages]);
  const int expert = static_cast<int>(blockIdx.z);
  const int first = call.experts > 0 ? call.first[expert] : 0;
  const int rows = call.experts > 0 ? call.first[expert + 1] - first : call.rows;
  const int row0 = static_cast<int>(blockIdx.y) * kTile;
  const int column0 = static_cast<int>(blockIdx.x) * kTile;
  if (row0 >= rows) {
    return;
  }
  if (threadIdx.x == 0) {
    for (int s = 0; s < kStages; ++s) {
      simt::mbarrier_init(&full[s], 1);
      simt::mbarrier_init(&empty[s], kReaders);
    }
  }
  __syncthreads();
  const Ring ring{raw + (kAlign - simt::shared_address(raw) % kAlign) % kAlign, full, empty};
  const int steps = (call.depth + kDeep - 1) / kDeep;
  const int group = static_cast<int>(threadIdx.x) / kGroup - 1;
  if (group < 0) {
    simt::fewer_registers<kLoaderRegisters>();
    if (threadIdx.x == 0) {
      load_tiles(ring, &x, &w, first + row0, expert * call.columns + column0, steps);
    }
  } else {
    simt::more_registers<kReaderRegisters>();
    float sum[64];
#pragma unroll
    for (int i = 0; i < 64; ++i) {
      sum[i] = 0;
    }
    multiply_tiles(ring, group, steps, sum);
    float* y = call.y + static_cast<std::size_t>(first + row0) * call.columns + column0;
    store({y, rows - row0, call.columns - column0, call.columns}, group, sum);
  }
#endif
}

}  // namespace

void gemm_wgmma(Stream& stream, const Gemm& call) {
  check_gemm("gemm_wgmma", call);
  const auto slices = static_cast<unsigned>(call.experts > 0 ? call.experts : 1);
  const auto columns = static_cast<unsigned>(call.columns), rows = static_cast<unsigned>(call.rows);
  const auto depth = static_cast<unsigned>(call.depth);
  if (rows == 0 || columns == 0 || (call.experts > 0 && call.most == 0)) {
    return;
  }
  const auto x = simt::make_tensor_map(call.x, rows, depth, depth, kTile);
  const auto w = simt::make_tensor_map(call.w, slices * columns, depth, depth, kTile);
  SIMT_LAUNCH(stream, gemm_grid(call, kTile, kTile), kThreads, kBytes, gemm_wgmma_kernel, x, w,
              call);
}

}  // namespace assay::cuda
