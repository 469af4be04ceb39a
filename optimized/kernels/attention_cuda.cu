// SPDX-License-Identifier: Apache-2.0
// One block: 8 rows of queries, a head of keys, and a piece of them.
#include "optimized/kernels/attention_cuda.h"

#include <stdexcept>
#include <string>

#include "optimized/kernels/weight_formats_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kRows = 8;   // of queries; one for each warp
constexpr int kKeys = 32;  // at a time; one for each lane
constexpr int kThreads = kRows * kWarp;
constexpr float kHidden = -1e30F;  // a score that no query sees

template <class T>
__device__ __forceinline__ float cached(const void* from, long at) {
  if constexpr (sizeof(T) == 4) {
    return static_cast<const float*>(from)[at];
  } else {
    return float_from_bf16(static_cast<const std::uint16_t*>(from)[at]);
  }
}
template <class T>
__device__ __forceinline__ void keep(void* to, long at, float value) {
  if constexpr (sizeof(T) == 4) {
    static_cast<float*>(to)[at] = value;
  } else {
    static_cast<std::uint16_t*>(to)[at] = __bfloat16_as_ushort(__float2bfloat16(value));
  }
}

__device__ __forceinline__ bool sees(const QueryKeys& row, const AttentionCall& call, int key) {
  if (key < row.first || key > row.last) {
    return false;
  }
  return row.mask < 0 || call.masks[row.mask + key - call.first_key] != 0;
}

// Rows of keys and values at a stride that keeps lanes off each other's banks.
template <int kDim>
constexpr int kStride = kDim + 1;
template <int kDim>
constexpr std::size_t kSharedFloats =
    static_cast<std::size_t>(2 * kKeys) * kStride<kDim> + kRows* kDim + kRows* kKeys;

// What a block's rows see together.
struct Span {
  int first = 0x7fffffff;
  int last = -1;
};

__device__ __forceinline__ Span span_of(const AttentionCall& call, int row0, int group) {
  Span span;
  for (int r = row0; r < row0 + kRows && r < call.queries.rows * group; ++r) {
    const QueryKeys& row = call.visible[r / group];
    if (row.first <= row.last) {
      span.first = smaller(span.first, row.first);
      span.last = larger(span.last, row.last);
    }
  }
  return span;
}

// One row's state: the largest score, the sum of the shares, and the weighted values, one in 32 of
// them for each lane.
template <int kDim>
struct RowState {
  float most = kHidden;
  float sum = 0;
  float mix[(kDim + kWarp - 1) / kWarp] = {};
};

// The keys in shared memory meet one row.
template <int kDim>
__device__ __forceinline__ void meet_keys(const float* ks, const float* vs, const float* q,
                                          float* shares, bool seen, int head_dim,
                                          RowState<kDim>& state) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const float* const key = ks + lane * kStride<kDim>;
  float part[4] = {};  // sums that do not wait for one another
  int d0 = 0;
  for (; d0 + 4 <= head_dim; d0 += 4) {
    for (int i = 0; i < 4; ++i) {
      part[i] += q[d0 + i] * key[d0 + i];
    }
  }
  for (; d0 < head_dim; ++d0) {
    part[0] += q[d0] * key[d0];
  }
  const float score = part[0] + part[1] + (part[2] + part[3]);
  const float most = fmaxf(state.most, warp_max(seen ? score : kHidden));
  const float share = seen ? expf(score - most) : 0.0F;
  const float shrink = expf(state.most - most);
  state.most = most;
  state.sum = state.sum * shrink + warp_sum(share);
  shares[lane] = share;
  __syncwarp();
  for (int i = 0, d = lane; d < head_dim; ++i, d += kWarp) {
    float mix = state.mix[i] * shrink;
    for (int s = 0; s < kKeys; ++s) {
      mix += shares[s] * vs[s * kStride<kDim> + d];
    }
    state.mix[i] = mix;
  }
}

template <int kDim, class T>
__device__ __forceinline__ void load_keys(const AttentionCall& call, int head, int key0, int end,
                                          float* ks, float* vs) {
  const LayerCache& cache = call.cache;
  for (int e = static_cast<int>(threadIdx.x); e < kKeys * cache.head_dim; e += kThreads) {
    const int s = e / cache.head_dim;
    const int d = e % cache.head_dim;
    const long slot = (key0 + s) % cache.slots;
    const long at = (slot * cache.heads + head) * cache.head_dim + d;
    const bool inside = key0 + s < end;
    ks[s * kStride<kDim> + d] = inside ? cached<T>(cache.keys, at) : 0.0F;
    vs[s * kStride<kDim> + d] = inside ? cached<T>(cache.values, at) : 0.0F;
  }
}

// The result of a row, or its part in a piece.
template <int kDim>
__device__ __forceinline__ void write_row(const AttentionCall& call, const RowState<kDim>& state,
                                          long token, long head, long piece) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int head_dim = call.cache.head_dim;
  if (call.pieces > 1) {
    const long number = (token * call.heads + head) * call.pieces + piece;
    float* const part = call.parts + number * (head_dim + 2);
    for (int i = 0, d = lane; d < head_dim; ++i, d += kWarp) {
      part[d] = state.mix[i];
    }
    if (lane == 0) {
      part[head_dim] = state.most;
      part[head_dim + 1] = state.sum;
    }
    return;
  }
  const float by = state.sum == 0 ? 0.0F : 1.0F / state.sum;
  float* const out = call.out.data + token * call.out.stride + head * head_dim;
  for (int i = 0, d = lane; d < head_dim; ++i, d += kWarp) {
    out[d] = state.mix[i] * by;
  }
}

template <int kDim, class T>
__global__ void __launch_bounds__(kThreads) attention_kernel(AttentionCall call) {
  SIMT_DYN_SHARED(float, memory);
  float* const ks = memory;
  float* const vs = ks + kKeys * kStride<kDim>;
  float* const queries = vs + kKeys * kStride<kDim>;
  float* const shares = queries + kRows * kDim;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int head_dim = call.cache.head_dim;
  const int group = call.heads / call.cache.heads;
  const int kv_head = static_cast<int>(blockIdx.y);
  const int piece = static_cast<int>(blockIdx.z);
  const int row0 = static_cast<int>(blockIdx.x) * kRows;
  const int row = row0 + warp;
  const bool exists = row < call.queries.rows * group;
  const int token = exists ? row / group : 0;
  const long head = kv_head * group + row % group;
  const QueryKeys visible = exists ? call.visible[token] : QueryKeys{};
  float* const q = queries + warp * kDim;
  const float* const from = call.queries.data + token * call.queries.stride + head * head_dim;
  for (int d = lane; d < head_dim; d += kWarp) {
    q[d] = exists ? from[d] : 0.0F;
  }
  __syncwarp();
  Span span = span_of(call, row0, group);
  if (call.pieces > 1) {
    span.first += span.first <= span.last ? piece * kPieceKeys : 0;
    span.last = smaller(span.last, span.first + kPieceKeys - 1);
  }
  RowState<kDim> state;
  for (int key0 = span.first; key0 <= span.last; key0 += kKeys) {
    __syncthreads();  // nobody reads the last keys any more
    load_keys<kDim, T>(call, kv_head, key0, span.last + 1, ks, vs);
    __syncthreads();
    const int key = key0 + lane;
    const bool seen = key <= span.last && sees(visible, call, key);
    meet_keys<kDim>(ks, vs, q, shares + warp * kKeys, seen, head_dim, state);
  }
  if (exists) {
    write_row<kDim>(call, state, token, head, piece);
  }
}

// One warp: the pieces of one row.
__global__ void __launch_bounds__(kWarp) merge_kernel(AttentionCall call) {
  const int head_dim = call.cache.head_dim;
  const long token = blockIdx.y;
  const long head = blockIdx.x;
  const int width = head_dim + 2;
  const float* parts = call.parts + (token * call.heads + head) * call.pieces * width;
  float most = kHidden;
  for (int p = 0; p < call.pieces; ++p) {
    most = fmaxf(most, parts[static_cast<long>(p) * width + head_dim]);
  }
  float sum = 0;
  for (int p = 0; p < call.pieces; ++p) {
    const float* part = parts + static_cast<long>(p) * width;
    sum += part[head_dim + 1] * expf(part[head_dim] - most);
  }
  const float by = sum == 0 ? 0.0F : 1.0F / sum;
  for (int d = static_cast<int>(threadIdx.x); d < head_dim; d += kWarp) {
    float mix = 0;
    for (int p = 0; p < call.pieces; ++p) {
      const float* part = parts + static_cast<long>(p) * width;
      mix += part[d] * expf(part[head_dim] - most);
    }
    call.out.data[token * call.out.stride + head * head_dim + d] = mix * by;
  }
}

// One warp: a head of a token.
template <class T>
__global__ void __launch_bounds__(kWarp) store_keys_kernel(StoreKeys call, float eps) {
  const int half = call.rotation.half;
  const int head_dim = 2 * half;
  const long token = blockIdx.x;
  const long in_row = static_cast<long>(blockIdx.y) * head_dim;
  const float* k = call.k.data + token * call.k.stride + in_row;
  const float* v = call.v.data + token * call.v.stride + in_row;
  float squares = 0;
  float v_squares = 0;
  for (int i = static_cast<int>(threadIdx.x); i < head_dim; i += kWarp) {
    squares += k[i] * k[i];
    v_squares += v[i] * v[i];
  }
  const float factor = 1.0F / sqrtf(warp_sum(squares) / static_cast<float>(head_dim) + eps);
  const float v_factor = 1.0F / sqrtf(warp_sum(v_squares) / static_cast<float>(head_dim) + eps);
  const float* cos = call.rotation.cos + token * half;
  const float* sin = call.rotation.sin + token * half;
  const long out = token * call.k.columns + in_row;
  const long slot = (*call.start + token) % call.cache.slots;
  const long at = (slot * call.cache.heads + static_cast<long>(blockIdx.y)) * head_dim;
  for (int c = static_cast<int>(threadIdx.x); c < half; c += kWarp) {
    const float a = k[c] * factor * call.k_scale[c];
    const float b = k[c + half] * factor * call.k_scale[c + half];
    const float turned_a = a * cos[c] - b * sin[c];
    const float turned_b = b * cos[c] + a * sin[c];
    const float v_a = v[c] * v_factor;
    const float v_b = v[c + half] * v_factor;
    keep<T>(call.cache.keys, at + c, turned_a);
    keep<T>(call.cache.keys, at + c + half, turned_b);
    keep<T>(call.cache.values, at + c, v_a);
    keep<T>(call.cache.values, at + c + half, v_b);
    if (call.k_normed_out != nullptr) {
      call.k_normed_out[out + c] = a;
      call.k_normed_out[out + c + half] = b;
      call.k_rope_out[out + c] = turned_a;
      call.k_rope_out[out + c + half] = turned_b;
      call.v_normed_out[out + c] = v_a;
      call.v_normed_out[out + c + half] = v_b;
    }
  }
}

template <class T>
__global__ void load_cached_kernel(LayerCache cache, const void* from, int first, float* to) {
  const long slot = (first + static_cast<long>(blockIdx.x)) % cache.slots;
  const long width = static_cast<long>(cache.heads) * cache.head_dim;
  for (long i = threadIdx.x; i < width; i += blockDim.x) {
    to[blockIdx.x * width + i] = cached<T>(from, slot * width + i);
  }
}

template <int kDim, class T>
void attend(Stream& stream, const AttentionCall& call) {
  const int rows = call.queries.rows * (call.heads / call.cache.heads);
  const dim3 grid(static_cast<unsigned>((rows + kRows - 1) / kRows),
                  static_cast<unsigned>(call.cache.heads), static_cast<unsigned>(call.pieces));
  SIMT_LAUNCH(stream, grid, kThreads, kSharedFloats<kDim> * sizeof(float),
              attention_kernel<kDim, T>, call);
}

template <class T>
void attend(Stream& stream, const AttentionCall& call) {
  if (call.cache.head_dim <= 32) {
    attend<32, T>(stream, call);
  } else if (call.cache.head_dim <= 128) {
    attend<128, T>(stream, call);
  } else if (call.cache.head_dim <= 256) {
    attend<256, T>(stream, call);
  } else {
    attend<512, T>(stream, call);
  }
}

}  // namespace

std::size_t attention_parts(int tokens, int heads, int head_dim, int pieces) {
  return pieces == 1
             ? 0
             : static_cast<std::size_t>(tokens) * static_cast<std::size_t>(heads) *
                   static_cast<std::size_t>(pieces) * static_cast<std::size_t>(head_dim + 2);
}

void attention(Stream& stream, const AttentionCall& call) {
  if (call.cache.head_dim > 512) {
    throw std::invalid_argument("attention: got heads of " + std::to_string(call.cache.head_dim) +
                                " numbers, expected at most 512");
  }
  if (call.cache.type == KeyType::kF32) {
    attend<float>(stream, call);
  } else {
    attend<std::uint16_t>(stream, call);
  }
  if (call.pieces > 1) {
    const dim3 grid(static_cast<unsigned>(call.heads), static_cast<unsigned>(call.queries.rows));
    SIMT_LAUNCH(stream, grid, kWarp, 0, merge_kernel, call);
  }
}

void store_keys(Stream& stream, const StoreKeys& call, float eps) {
  const dim3 grid(static_cast<unsigned>(call.k.rows), static_cast<unsigned>(call.cache.heads));
  if (call.cache.type == KeyType::kF32) {
    SIMT_LAUNCH(stream, grid, kWarp, 0, store_keys_kernel<float>, call, eps);
  } else {
    SIMT_LAUNCH(stream, grid, kWarp, 0, store_keys_kernel<std::uint16_t>, call, eps);
  }
}

void load_cached(Stream& stream, const LayerCache& cache, bool values, int first, int count,
                 float* to) {
  const void* const from = values ? cache.values : cache.keys;
  if (cache.type == KeyType::kF32) {
    SIMT_LAUNCH(stream, count, 4 * kWarp, 0, load_cached_kernel<float>, cache, from, first, to);
  } else {
    SIMT_LAUNCH(stream, count, 4 * kWarp, 0, load_cached_kernel<std::uint16_t>, cache, from, first,
                to);
  }
}

}  // namespace assay::cuda
