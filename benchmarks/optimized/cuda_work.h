// SPDX-License-Identifier: Apache-2.0
// The work that cuda_bench times: one kernel, or two that belong together, on random numbers.
#pragma once

#include <algorithm>
#include <cstddef>

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/matmul_cuda.h"

namespace assay::cuda {

// What a device did in this run; 0: not measured.
struct Rates {
  double copy = 0;  // bytes a second, read and written
  double gemm = 0;  // flop a second of the fastest product in bf16
};

// Work of one row: flop or bytes, and the seconds that a device took.
struct Result {
  double work = 0;
  double seconds = 0;
};

struct AttentionShape {
  int tokens, context, heads, kv_heads, head_dim, window;
};

// Shapes are cut so that the host twin can run them, once; seconds mean nothing then.
extern bool small_shapes;

Rates measure_rates(Stream& stream);

// One token: bytes of the cache that is read; else flop.
Result attention_row(Stream& stream, AttentionShape s);
Result gemv_row(Stream& stream, WeightFormat format, std::size_t rows, std::size_t columns);
// Both products of every chosen expert of the 26B; choices are spread evenly.
Result moe_prefill_row(Stream& stream, std::size_t tokens);
Result moe_decode_row(Stream& stream);
// `fused`: with the sum before it and the norm after it.
Result norm_row(Stream& stream, bool fused);

}  // namespace assay::cuda
