// SPDX-License-Identifier: Apache-2.0
// What the kernels here share: sums and maxima of a warp or block, formulas of single numbers. For
// .cu files only.
#pragma once

#include "optimized/device/cuda/simt.h"

namespace assay::cuda {

constexpr unsigned kAllLanes = 0xffffffffU;
constexpr int kWarp = 32;
constexpr float kGeluRoot = 0.7978845608028654F;  // sqrt(2 / pi)

__device__ __forceinline__ float warp_sum(float v) {
  for (int o = kWarp / 2; o > 0; o /= 2) {
    v += __shfl_xor_sync(kAllLanes, v, o);
  }
  return v;
}

__device__ __forceinline__ int smaller(int a, int b) {
  return a < b ? a : b;
}
__device__ __forceinline__ int larger(int a, int b) {
  return a > b ? a : b;
}

// Of numbers; a NaN counts for nothing.
__device__ __forceinline__ float warp_max(float v) {
  for (int o = kWarp / 2; o > 0; o /= 2) {
    v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, o));
  }
  return v;
}

// The sum over a block of kThreads; `partial` may be used again after the next barrier.
template <int kThreads>
__device__ __forceinline__ float block_sum(float v, float (&partial)[kThreads / kWarp]) {
  v = warp_sum(v);
  if constexpr (kThreads == kWarp) {
    __syncwarp();  // shuffles order no memory: what others read may be written from here on
    return v;
  } else {
    const int t = static_cast<int>(threadIdx.x);
    if (t % kWarp == 0) {
      partial[t / kWarp] = v;
    }
    __syncthreads();
    float sum = 0;
    for (int w = 0; w < kThreads / kWarp; ++w) {
      sum += partial[w];
    }
    return sum;
  }
}

// x/2 (1 + tanh(…)) without the cancellation for negative x.
__device__ __forceinline__ float gelu_of(float x) {
  const float inner = kGeluRoot * (x + 0.044715F * x * x * x);
  return x / (1.0F + expf(-2.0F * inner));
}

__device__ __forceinline__ float sigmoid_of(float x) {
  return 1.0F / (1.0F + expf(-x));
}

}  // namespace assay::cuda
