// SPDX-License-Identifier: Apache-2.0
// Products of bf16 rows with bf16 weights by tensor cores, sums in f32:
//
//   y[t, n] = sum_k x[t, k] w[n, k]            x [rows, depth], w [columns, depth], y [rows,
//   columns]
//
// Equals: matmul with `round` (matmul_cuda.h), but for what tensor cores cut off: the terms of 16
// products and the sum are aligned to the largest and cut, so the error of a step is below
// (count + 1) 2^-24 times the largest term plus 2^-23 times the sum, always toward zero.
//
// With experts, rows first[e] … first[e + 1] - 1 meet slice e of w. The depth is a multiple of 8
// and x and w begin at multiples of 16 bytes.
//
//   gemm_mma    tiles of mma.m16n8k16 fed by cp.async: sm_80 and later     (gemm_mma_cuda.cu)
//   gemm_wgmma  TMA and WGMMA, one warp loads, two warpgroups multiply: sm_90a (gemm_wgmma_cuda.cu)
#pragma once

#include <cstddef>
#include <cstdint>

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"

namespace assay::cuda {

struct Gemm {
  int rows = 0, columns = 0, depth = 0;
  const std::uint16_t* x = nullptr;
  const std::uint16_t* w = nullptr;
  float* y = nullptr;
  int experts = 0;             // 0: one product
  const int* first = nullptr;  // [experts + 1], on the device
  int most = 0;                // rows that an expert may have
};

// These throw std::invalid_argument for a depth or an address that they cannot take.
void gemm_mma(Stream& stream, const Gemm& call);
void gemm_wgmma(Stream& stream, const Gemm& call);

// Rows of x to the nearest bf16, `stride` numbers in a row of the result, zeros after those of x;
// with `sorted` row i is that of choice sorted[i], of which a row of x has `slots` (matmul_cuda.h).
struct RoundRows {
  DeviceRows x;
  int rows = 0;  // of the result
  int stride = 0;
  std::uint16_t* to = nullptr;
  const int* sorted = nullptr;
  int slots = 1;
};
void round_to_bf16(Stream& stream, const RoundRows& call);

}  // namespace assay::cuda
