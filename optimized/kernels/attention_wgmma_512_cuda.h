// SPDX-License-Identifier: Apache-2.0
// The part of attention_wgmma (attention_wgmma_cuda.h) that has heads of 512.
#pragma once

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/attention_cuda.h"

namespace assay::cuda {

void attention_wgmma_512(Stream& stream, const AttentionCall& call);

}  // namespace assay::cuda
