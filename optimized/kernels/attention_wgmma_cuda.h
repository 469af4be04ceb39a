// SPDX-License-Identifier: Apache-2.0
// Attention of many queries by TMA and WGMMA (sm_90a), heads of 256 and 512, on a cache of bf16.
//
// Equals: attention (attention_cuda.h), one piece, with queries and shares rounded to bf16, as
// attention_mma: windows, rings, masks of images, groups of heads. The error is that of 2^-8 in
// each share, of the sums of tensor cores (gemm_cuda.h), and of exp2.
//
// Tiles of 64 keys come by TMA. A tile ends where a ring does, so that its rows are consecutive;
// what it has beyond the stored tokens (AttentionCall::stored) is zeros, and no memory is read that
// nobody wrote.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {

// True when attention_wgmma can take the call: a cache of bf16, head_dim 256 or 512, one piece,
// queries and keys at multiples of 16 bytes.
bool attention_wgmma_takes(const AttentionCall& call);

// Throws std::invalid_argument for a call that it cannot take. Only for devices of sm_90.
void attention_wgmma(Stream& stream, const AttentionCall& call);

}  // namespace assay::cuda
