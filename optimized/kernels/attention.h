// SPDX-License-Identifier: Apache-2.0
// Attention of a few or many queries to the keys of a cache, by online softmax: scores are never
// stored whole.
//
//   out[t, n] = sum_s softmax_s( q[t, n] . k[s, n / G] ) v[s, n / G]      s visible to t
//
// One code for decoding and prefill. The queries of the G heads that share keys, of all tokens, are
// rows of one matrix; panels of up to 8 rows meet 64 keys at a time. Where keys and values lie
// (head_cache.h): a score needs no sum across lanes, and a step of the second product reads values
// in order: rows of 1 or 2 KiB would share a few sets of the first cache. A q8_0 cache is widened
// to f32, 64 keys at a time; one of bf16 only where more than one panel reads it.
//
// A score that is no number makes its query's result none. The values of hidden keys count as zero
// times what they are: they must be finite.
//
// Sums run over d in order and over keys in blocks of 64; where one panel holds all queries
// (decoding), keys are cut in pieces of 512 whose results are merged in order. Neither depends on
// the number of threads.  Spec; Milakov and Gimelshein 2018.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "optimized/device/threads.h"
#include "optimized/kernels/head_cache.h"

namespace assay::cpu {

// What a query sees: tokens first … last, or nothing (last < first); and where `mask` is given,
// only those whose byte is not 0.
struct VisibleKeys {
  std::size_t first = 1;
  std::size_t last = 0;
  const std::uint8_t* mask = nullptr;  // of the token `mask_first`, …
  std::size_t mask_first = 0;
};

struct AttentionCall {
  const float* queries = nullptr;  // [tokens][stride], heads one after another
  std::size_t stride = 0;
  std::size_t tokens = 0;
  std::size_t heads = 0;              // of queries
  const HeadCache* caches = nullptr;  // one for each `group` heads
  std::size_t group = 1;
  const VisibleKeys* visible = nullptr;  // [tokens]
  float* out = nullptr;                  // [tokens][out_stride]
  std::size_t out_stride = 0;
};

void attention(const AttentionCall& call, const Threads& threads);

}  // namespace assay::cpu
