// SPDX-License-Identifier: Apache-2.0
// Elements of weights as floats, exactly (matmul_cuda.h says how they lie). For .cu files only.
#pragma once

#include "optimized/kernels/matmul_cuda.h"
#include "optimized/kernels/warp_cuda.h"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace assay::cuda {

__device__ __forceinline__ float float_from_half(std::uint16_t bits) {
#ifdef __CUDACC__
  return __half2float(__ushort_as_half(bits));
#else
  const unsigned sign = (bits & 0x8000U) << 16;
  const unsigned exponent = bits >> 10 & 31U;
  const unsigned mantissa = bits & 1023U;
  if (exponent == 0) {  // below the normal range: mantissa 2^-24
    const float small = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -small : small;
  }
  const unsigned wide = exponent == 31 ? 255U : exponent + 112U;
  return __uint_as_float(sign | wide << 23 | mantissa << 13);
#endif
}

__device__ __forceinline__ float float_from_bf16(std::uint16_t bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

__device__ __forceinline__ float rounded_to_bf16(float x) {
  return __bfloat162float(__float2bfloat16(x));
}

__device__ __forceinline__ long row_stride(const DeviceWeight& w) {
  return w.stride == 0 ? w.columns : w.stride;
}

// Element (row, k) of a weight.
template <WeightFormat kFormat>
__device__ __forceinline__ float element_of(const DeviceWeight& w, long row, int k) {
  if constexpr (kFormat == WeightFormat::kF32) {
    return static_cast<const float*>(w.data)[row * w.columns + k];
  } else if constexpr (kFormat == WeightFormat::kBf16) {
    return float_from_bf16(static_cast<const std::uint16_t*>(w.data)[row * row_stride(w) + k]);
  } else {
    const long block = (row * w.columns + k) / kWeightBlock;
    const float scale = float_from_half(w.scales[block]);
    if constexpr (kFormat == WeightFormat::kQ8) {
      const int code = static_cast<const signed char*>(w.data)[row * w.columns + k];
      return scale * static_cast<float>(code);
    } else {
      const int in_block = k % kWeightBlock;
      const int pair = static_cast<const unsigned char*>(w.data)[block * 16 + in_block % 16];
      const int code = in_block < 16 ? pair & 15 : pair >> 4;
      return scale * static_cast<float>(code - 8);
    }
  }
}

// Elements in 16 bytes of codes; for rows that begin at multiples of 16 bytes.
template <WeightFormat kFormat>
constexpr int kWordElements = kFormat == WeightFormat::kF32    ? 4
                              : kFormat == WeightFormat::kBf16 ? 8
                              : kFormat == WeightFormat::kQ8   ? 16
                                                               : 32;

// The word that begins with element (row, k).
template <WeightFormat kFormat>
__device__ __forceinline__ uint4 word_of(const DeviceWeight& w, long row, int k) {
  const long stride = kFormat == WeightFormat::kBf16 ? row_stride(w) : w.columns;
  return static_cast<const uint4*>(w.data)[(row * stride + k) / kWordElements<kFormat>];
}

// Sum of the elements of a word times those of a.
template <WeightFormat kFormat>
__device__ __forceinline__ float word_product(const DeviceWeight& w, const uint4& word, long row,
                                              int k, const float (&a)[kWordElements<kFormat>]) {
  const unsigned parts[4] = {word.x, word.y, word.z, word.w};
  float sum = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (kFormat == WeightFormat::kF32) {
      sum += __uint_as_float(parts[i]) * a[i];
    } else if constexpr (kFormat == WeightFormat::kBf16) {
      sum += __uint_as_float(parts[i] << 16) * a[2 * i];
      sum += __uint_as_float(parts[i] & 0xffff0000U) * a[2 * i + 1];
    } else {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const unsigned code = parts[i] >> 8 * j & 255U;
        if constexpr (kFormat == WeightFormat::kQ8) {
          sum += static_cast<float>(static_cast<signed char>(code)) * a[4 * i + j];
        } else {
          sum += static_cast<float>(static_cast<int>(code & 15U) - 8) * a[4 * i + j];
          sum += static_cast<float>(static_cast<int>(code >> 4) - 8) * a[16 + 4 * i + j];
        }
      }
    }
  }
  if constexpr (kFormat == WeightFormat::kQ8 || kFormat == WeightFormat::kQ4) {
    sum *= float_from_half(w.scales[(row * w.columns + k) / kWeightBlock]);
  }
  return sum;
}

}  // namespace assay::cuda
