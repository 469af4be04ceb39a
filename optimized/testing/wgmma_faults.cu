// SPDX-License-Identifier: Apache-2.0
#include "optimized/testing/wgmma_faults.h"

#include "optimized/device/cuda/wgmma.h"

namespace assay::cuda {
namespace {

using Fault = WgmmaFault;

constexpr int kRows = 64, kDeep = 64, kColumns = 256;
constexpr int kSlabBytes = kDeep * 128;
constexpr int kRowBytes = kRows * 128;
constexpr int kAlign = 1024;
constexpr int kBytes = kRowBytes + kColumns / 64 * kSlabBytes + kAlign;

// A as the fragments of this thread.
__device__ void load_fragments(const std::uint16_t* a, unsigned (&to)[4][4]) {
  const int t = static_cast<int>(threadIdx.x), row = t / 32 * 16 + t % 32 / 4;
  for (int i = 0; i < 16; ++i) {
    const int at = (row + i % 2 * 8) * kDeep + i / 4 * 16 + i % 4 / 2 * 8 + t % 4 * 2;
    to[i / 4][i % 4] = a[at] | static_cast<unsigned>(a[at + 1]) << 16;
  }
}

// A as a tile in shared memory.
template <Fault kFault>
__device__ void put_rows(const std::uint16_t* a, unsigned char* to) {
  for (int i = static_cast<int>(threadIdx.x); i < kRows * 8; i += 128) {
    const int r = i / 8, c = i % 8;
    *reinterpret_cast<uint4*>(to + r * 128 + (c ^ (r % 8)) * 16) =
        *reinterpret_cast<const uint4*>(a + r * kDeep + c * 8);
  }
  if (kFault != Fault::kNoFence) {
    simt::fence_for_async();
  }
}

template <Fault kFault>
__device__ void multiply(const unsigned char* rows, const unsigned char* tiles,
                         unsigned (&fragments)[4][4], float (&sum)[128]) {
  constexpr bool kTransposed = kFault != Fault::kNotTransposed;
  const auto b =
      simt::transposed_descriptor(tiles, kFault == Fault::kWrongSlab ? kSlabBytes / 2 : kSlabBytes);
  simt::wgmma_fence();
  for (int k = 0; k < kDeep / 16; ++k) {
    if constexpr (kFault == Fault::kFromRegisters || kFault == Fault::kRewritten) {
      simt::wgmma_256_transposed(sum, fragments[k], b + k * simt::kNextTransposedK);
    } else {
      simt::wgmma<kColumns, kTransposed>(sum, simt::tile_descriptor(rows) + k * simt::kNextK,
                                         b + k * simt::kNextTransposedK, k > 0);
    }
  }
  simt::wgmma_commit();
  if (kFault == Fault::kRewritten) {
    fragments[3][0] = 0;
  }
  simt::wgmma_wait<0>();
  simt::wgmma_settle(sum);
  simt::wgmma_settle(fragments);
}

template <Fault kFault>
__global__ void __launch_bounds__(128, 1)
    wgmma_kernel(const std::uint16_t* a, const __grid_constant__ simt::TensorMap b, float* y) {
#if defined(SIMT_HOPPER) || !defined(__CUDA_ARCH__)
  SIMT_DYN_SHARED(unsigned char, raw);
  SIMT_SHARED(simt::Mbarrier, full, [1]);
  unsigned char* const rows = raw + (kAlign - simt::shared_address(raw) % kAlign) % kAlign;
  unsigned char* const tiles = rows + kRowBytes;
  const int t = static_cast<int>(threadIdx.x);
  if (t == 0) {
    simt::mbarrier_init(full, 1);
    simt::mbarrier_arrive(full, kColumns / 64 * kSlabBytes);
    for (int slab = 0; slab < kColumns / 64; ++slab) {
      simt::load_tile(tiles + slab * kSlabBytes, &b, full, 64 * slab, 0);
    }
  }
  unsigned fragments[4][4];
  load_fragments(a, fragments);
  put_rows<kFault>(a, rows);
  __syncthreads();
  simt::mbarrier_wait(full, 0);
  float sum[128];
  for (int i = 0; i < 128; ++i) {
    sum[i] = 0;
  }
  multiply<kFault>(rows, tiles, fragments, sum);
  for (int i = 0; i < 128; ++i) {
    const int row = t / 32 * 16 + t % 32 / 4 + i % 4 / 2 * 8;
    y[row * kColumns + i / 4 * 8 + t % 4 * 2 + i % 2] = sum[i];
  }
#endif
}

template <int kFirst>
void dispatch(Stream& stream, Fault fault, const std::uint16_t* a, const simt::TensorMap& b,
              float* y) {
  if (static_cast<int>(fault) == kFirst) {
    SIMT_LAUNCH(stream, 1, 128, kBytes, wgmma_kernel<static_cast<Fault>(kFirst)>, a, b, y);
  } else if constexpr (kFirst < static_cast<int>(Fault::kWrongSlab)) {
    dispatch<kFirst + 1>(stream, fault, a, b, y);
  }
}

}  // namespace

void run_wgmma(Stream& stream, Fault fault, const std::uint16_t* a, const std::uint16_t* b,
               float* y) {
  dispatch<0>(stream, fault, a, simt::make_tensor_map(b, kDeep, kColumns, kColumns, kDeep), y);
}

}  // namespace assay::cuda
