// SPDX-License-Identifier: Apache-2.0
// Which kernel a call of the engine runs on, by device and shape.
//
//                                        any device     sm_80 and later   sm_90
//   product, one row                     gemv           gemv              gemv
//   product of rows, class bf16          tiles in f32   gemm_mma          gemm_wgmma from 65 rows
//   on products of experts, class bf16      tiles in f32   gemm_mma          gemm_wgmma from 65
//   rows each on attention of one token               attention, in pieces attention of tokens,
//   class bf16      attention      attention_mma     attention_wgmma from 64 rows on,
//     and cache of bf16                                                   heads of 256 and 512
//
// A kernel that cannot take a call leaves it to the one at its left. In the class f32 all are
// plain. ASSAY_CUDA_KERNELS=plain, mma or wgmma names the last column that counts, and takes away
// the least numbers of rows: for tests, whose calls are small.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {

enum class KernelSet { kPlain, kMma, kWgmma };

struct KernelChoice {
  KernelSet most = KernelSet::kPlain;
  bool of_few_rows = false;  // without the least numbers of rows

  // For rows that meet one weight, or on the average each expert's; rounded to bf16, as is the
  // weight.
  KernelSet product(int rows) const;
  // In the class bf16.
  KernelSet attention(const AttentionCall& call) const;
};

// Of a device, and of the environment. Throws Error for a word that is none of the three, and for
// kernels that the device does not have.
KernelChoice kernels_of(const DeviceFacts& device);

}  // namespace assay::cuda
