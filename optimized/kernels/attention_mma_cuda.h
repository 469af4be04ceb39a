// SPDX-License-Identifier: Apache-2.0
// Attention of many queries by tensor cores (mma.m16n8k16, sm_80 and later), on a cache of bf16.
//
// Equals: attention (attention_cuda.h), one piece, with queries and shares rounded to bf16: the
// call is the same, and so is what a query sees: windows, rings, masks of images. The error is that
// of 2^-8 in each share, of the sums of tensor cores (gemm_cuda.h), and of exp.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {

// True when attention_mma can take the call: a cache of bf16, head_dim 64, 128, 256 or 512, one
// piece.
bool attention_mma_takes(const AttentionCall& call);

// Throws std::invalid_argument for a call that it cannot take.
void attention_mma(Stream& stream, const AttentionCall& call);

}  // namespace assay::cuda
