// SPDX-License-Identifier: Apache-2.0
// Rows of queries as the kernels of attention by tensor cores have them: those of the heads that
// share keys, token after token, are rows of one matrix. For .cu files only.
#pragma once

#include "optimized/kernels/attention_cuda.h"
#include "optimized/kernels/warp_cuda.h"

namespace assay::cuda {

constexpr float kHidden = -1e30F;  // a score that no query sees

// What a row of queries is, and what it sees; of a row that is none, nothing.
struct QueryRow {
  int token = -1, head = 0;
  QueryKeys keys;
};
__device__ __forceinline__ QueryRow query_row(const AttentionCall& call, int r) {
  const int group = call.heads / call.cache.heads;
  QueryRow row;
  if (r < call.queries.rows * group) {
    row.token = r / group;
    row.head = static_cast<int>(blockIdx.y) * group + r % group;
    row.keys = call.visible[row.token];
  }
  return row;
}

__device__ __forceinline__ bool sees(const QueryKeys& keys, const AttentionCall& call, int key) {
  if (key < keys.first || key > keys.last) {
    return false;
  }
  return keys.mask < 0 || call.masks[keys.mask + key - call.first_key] != 0;
}

// Over the four lanes that have one row of a fragment.
__device__ __forceinline__ float quad_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, 1));
  return fmaxf(v, __shfl_xor_sync(kAllLanes, v, 2));
}
__device__ __forceinline__ float quad_sum(float v) {
  v += __shfl_xor_sync(kAllLanes, v, 1);
  return v + __shfl_xor_sync(kAllLanes, v, 2);
}

// What rows row0 … row0 + count - 1 see together; by a whole warp.
struct Span {
  int first = 0x7fffffff, last = -1;
};
__device__ __forceinline__ Span span_of(const AttentionCall& call, int row0, int count) {
  const int group = call.heads / call.cache.heads;
  const int end = smaller((row0 + count - 1) / group + 1, call.queries.rows);
  Span span;
  for (int t = row0 / group + static_cast<int>(threadIdx.x) % kWarp; t < end; t += kWarp) {
    const QueryKeys keys = call.visible[t];
    if (keys.first <= keys.last) {
      span.first = smaller(span.first, keys.first);
      span.last = larger(span.last, keys.last);
    }
  }
  for (int o = kWarp / 2; o > 0; o /= 2) {
    span.first = smaller(span.first, __shfl_xor_sync(kAllLanes, span.first, o));
    span.last = larger(span.last, __shfl_xor_sync(kAllLanes, span.last, o));
  }
  return span;
}

}  // namespace assay::cuda
