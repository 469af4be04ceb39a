// SPDX-License-Identifier: Apache-2.0
#include "optimized/testing/pipeline_faults.h"

#include "optimized/device/cuda/wgmma.h"

namespace assay::cuda {
namespace {

using Fault = PipelineFault;

constexpr int kStages = 2;
constexpr int kDeep = 64;
constexpr int kRows = 64, kColumns = 128;
constexpr int kRowsBytes = kRows * kDeep * 2;
constexpr int kStageBytes = (kRows + kColumns) * kDeep * 2;
constexpr int kAlign = 1024;

struct Ring {
  unsigned char* tiles;
  simt::Mbarrier* full;
  simt::Mbarrier* empty;
};

template <Fault kFault>
__device__ void load_stages(const Ring& ring, const simt::TensorMap* x, const simt::TensorMap* w,
                            int steps) {
  for (int i = 0; i < steps; ++i) {
    const int s = i % kStages;
    if (i >= kStages && kFault != Fault::kOverwrites) {
      simt::mbarrier_wait(&ring.empty[s], (i / kStages - 1) & 1);
    }
    simt::mbarrier_arrive(&ring.full[s], kFault == Fault::kFewerBytes ? kRowsBytes : kStageBytes);
    simt::load_tile(ring.tiles + s * kStageBytes, x, &ring.full[s], i * kDeep, 0);
    simt::load_tile(ring.tiles + s * kStageBytes + kRowsBytes, w, &ring.full[s], i * kDeep, 0);
  }
}

template <Fault kFault>
__device__ void multiply_stages(const Ring& ring, int steps, float (&sum)[64]) {
  const bool elected = threadIdx.x % 32 == 0 || kFault == Fault::kTooManyArrivals;
  for (int i = 0; i < steps; ++i) {
    const int s = i % kStages;
    if (kFault != Fault::kNoWaitForLanding) {
      simt::mbarrier_wait(&ring.full[s], (i / kStages) & 1);
    }
    simt::wgmma_fence();
    const auto x = simt::tile_descriptor(ring.tiles + s * kStageBytes);
    const auto w = simt::tile_descriptor(ring.tiles + s * kStageBytes + kRowsBytes);
    for (int k = 0; k < kDeep / 16; ++k) {
      const int along = kFault == Fault::kDescriptorStands ? 0 : k;
      simt::wgmma<128>(sum, x + simt::kNextK * along, w + simt::kNextK * k);
    }
    simt::wgmma_commit();
    if (kFault != Fault::kReleasedEarly && kFault != Fault::kNoWaitForProducts) {
      simt::wgmma_wait<0>();
    }
    if (elected && kFault != Fault::kNeverReleased) {
      simt::mbarrier_arrive(&ring.empty[s]);
    }
  }
  if (kFault == Fault::kReleasedEarly) {
    simt::wgmma_wait<0>();
  }
}

template <Fault kFault>
__global__ void __launch_bounds__(256, 1)
    pipeline_kernel(const __grid_constant__ simt::TensorMap x,
                    const __grid_constant__ simt::TensorMap w, int steps, float* y) {
#if defined(SIMT_HOPPER) || !defined(__CUDA_ARCH__)
  SIMT_DYN_SHARED(unsigned char, raw);
  SIMT_SHARED(simt::Mbarrier, full, [kStages]);
  SIMT_SHARED(simt::Mbarrier, empty, [kStages]);
  const int t = static_cast<int>(threadIdx.x);
  if (t == 0) {
    for (int s = 0; s < kStages; ++s) {
      simt::mbarrier_init(&full[s], 1);
      simt::mbarrier_init(&empty[s], 4);
    }
  }
  __syncthreads();
  const Ring ring{raw + (kAlign - simt::shared_address(raw) % kAlign) % kAlign, full, empty};
  if (t >= 128) {
    if (t == 128) {
      load_stages<kFault>(ring, &x, &w, steps);
    }
    return;
  }
  float sum[64];
  for (int i = 0; i < 64; ++i) {
    sum[i] = 0;
  }
  multiply_stages<kFault>(ring, steps, sum);
  for (int i = 0; i < 64; ++i) {
    const int row = t / 32 * 16 + t % 32 / 4 + i % 4 / 2 * 8;
    y[row * kColumns + i / 4 * 8 + t % 4 * 2 + i % 2] = sum[i];
  }
  if (kFault == Fault::kNoWaitForProducts) {
    simt::wgmma_wait<0>();
  }
#endif
}

template <int kFirst>
void dispatch(Stream& stream, Fault fault, const simt::TensorMap& x, const simt::TensorMap& w,
              int steps, float* y) {
  if (static_cast<int>(fault) == kFirst) {
    SIMT_LAUNCH(stream, 1, 256, kStages * kStageBytes + kAlign,
                pipeline_kernel<static_cast<Fault>(kFirst)>, x, w, steps, y);
  } else if constexpr (kFirst < static_cast<int>(Fault::kFewerBytes)) {
    dispatch<kFirst + 1>(stream, fault, x, w, steps, y);
  }
}

}  // namespace

void run_pipeline(Stream& stream, Fault fault, const std::uint16_t* x, const std::uint16_t* w,
                  int depth, float* y) {
  const auto k = static_cast<unsigned>(depth);
  dispatch<0>(stream, fault, simt::make_tensor_map(x, kRows, k, k, kRows),
              simt::make_tensor_map(w, kColumns, k, k, kColumns), depth / kDeep, y);
}

}  // namespace assay::cuda
