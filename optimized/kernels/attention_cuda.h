// SPDX-License-Identifier: Apache-2.0
// Attention of a few or many queries to the keys of a cache, by online softmax, on a device: scores
// are never stored whole.
//
//   out[t, n] = sum_s softmax_s( q[t, n] . k[s, n / G] ) v[s, n / G]      s visible to t
//
// The queries of the G heads that share keys, of all tokens, are rows of one matrix. A block takes
// 8 of them, one for each warp, and 32 keys at a time, which all of them read from shared memory.
// Few rows (decoding) are too little work for a device: then the keys are cut into pieces of a
// fixed length, and a second kernel merges what the pieces gave, in order.
//
// Keys and values lie as [slots][heads][head_dim], token i in slot i mod slots. Where a call starts
// is read from the device, so that a list of launches serves every step.
//
// f32 throughout. A query that sees nothing gets zeros; a score that is no number makes its query's
// result none.  Spec; Milakov and Gimelshein 2018; Dao et al. 2023.
#pragma once

#include <cstddef>
#include <cstdint>

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/device_rows_cuda.h"
#include "optimized/kernels/row_ops_cuda.h"

namespace assay::cuda {

enum class KeyType { kF32, kBf16 };

// Keys and values of one layer.
struct LayerCache {
  KeyType type = KeyType::kF32;
  int slots = 0;
  int heads = 0;
  int head_dim = 0;
  void* keys = nullptr;
  void* values = nullptr;
};

// What a query sees: tokens first … last, or nothing (last < first); with mask >= 0 only those
// whose byte masks[mask + s - first_key] is not 0.
struct QueryKeys {
  int first = 1;
  int last = 0;
  int mask = -1;
};

struct AttentionCall {
  DeviceRows queries;  // [tokens, heads head_dim]
  int heads = 0;       // of queries
  LayerCache cache;
  const QueryKeys* visible = nullptr;  // [tokens]
  const std::uint8_t* masks = nullptr;
  int first_key = 0;  // of the masks
  DeviceRows out;
  int pieces = 1;          // of keys; more than one: `parts` is needed
  float* parts = nullptr;  // attention_parts() floats
  int stored = 0;          // slots that hold tokens, from the first on; 0: all
};
constexpr int kPieceKeys = 256;  // keys of a piece

// Floats that the pieces of a call need.
std::size_t attention_parts(int tokens, int heads, int head_dim, int pieces);

// Head dimensions up to 512. Throws std::invalid_argument for a larger one.
void attention(Stream& stream, const AttentionCall& call);

// Keys normed and rotated, values normed, both stored: token t of the call goes to the slot of
// token *start + t. v may be k.
struct StoreKeys {
  DeviceRows k, v;  // [tokens, heads head_dim], as projected
  const float* k_scale = nullptr;
  Rotation rotation;
  const int* start = nullptr;
  LayerCache cache;
  float* k_normed_out = nullptr;
  float* k_rope_out = nullptr;
  float* v_normed_out = nullptr;
};
void store_keys(Stream& stream, const StoreKeys& call, float eps);

// Keys or values of tokens [first, first + count) as floats [count][heads][head_dim].
void load_cached(Stream& stream, const LayerCache& cache, bool values, int first, int count,
                 float* to);

}  // namespace assay::cuda
