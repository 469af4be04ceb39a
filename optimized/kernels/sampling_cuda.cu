// SPDX-License-Identifier: Apache-2.0
// A block for each row.
#include "optimized/kernels/sampling_cuda.h"

#include <stdexcept>
#include <string>

#include "optimized/kernels/warp_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kNobody = 0x7fffffff;
constexpr int kMostScores = 16384;
constexpr int kMostOrder = 1024;

struct Best {
  float value = -INFINITY;
  int at = kNobody;
};

__device__ __forceinline__ bool better(const Best& a, const Best& b) {
  return a.value > b.value || (a.value == b.value && a.at < b.at);
}

// The best of the block, for every thread. The arrays may be used again after the next barrier.
__device__ __forceinline__ Best best_of_block(Best best, float (&values)[kThreads / kWarp],
                                              int (&places)[kThreads / kWarp]) {
  const int t = static_cast<int>(threadIdx.x);
  for (int o = kWarp / 2; o > 0; o /= 2) {
    const Best other{__shfl_xor_sync(kAllLanes, best.value, o),
                     __shfl_xor_sync(kAllLanes, best.at, o)};
    best = better(other, best) ? other : best;
  }
  if (t % kWarp == 0) {
    values[t / kWarp] = best.value;
    places[t / kWarp] = best.at;
  }
  __syncthreads();
  for (int w = 0; w < kThreads / kWarp; ++w) {
    const Best other{values[w], places[w]};
    best = better(other, best) ? other : best;
  }
  return best;
}

__global__ void __launch_bounds__(kThreads) argmax_kernel(DeviceRows scores, int* token) {
  SIMT_SHARED(float, values, [kThreads / kWarp]);
  SIMT_SHARED(int, places, [kThreads / kWarp]);
  const float* row = scores.data + static_cast<long>(blockIdx.x) * scores.stride;
  Best best;
  for (int i = static_cast<int>(threadIdx.x); i < scores.columns; i += kThreads) {
    if (row[i] > best.value) {
      best = {row[i], i};
    }
  }
  best = best_of_block(best, values, places);
  if (threadIdx.x == 0) {
    token[blockIdx.x] = best.at == kNobody ? 0 : best.at;
  }
}

// Each thread knows the last that was taken: all better ones are gone.
__global__ void __launch_bounds__(kThreads)
    largest_kernel(DeviceRows scores, int count, int* order) {
  SIMT_SHARED(float, values, [kThreads / kWarp]);
  SIMT_SHARED(int, places, [kThreads / kWarp]);
  Best last{INFINITY, -1};
  for (int x = 0; x < count; ++x) {
    Best best;
    for (int i = static_cast<int>(threadIdx.x); i < scores.columns; i += kThreads) {
      const Best mine{scores.data[i], i};
      if (better(last, mine) && better(mine, best)) {
        best = mine;
      }
    }
    __syncthreads();  // nobody reads the last round's arrays any more
    last = best_of_block(best, values, places);
    if (threadIdx.x == 0) {
      order[x] = last.at == kNobody ? 0 : last.at;
    }
  }
}

__global__ void __launch_bounds__(kThreads) ordered_scores_kernel(OrderedScores call) {
  SIMT_SHARED(float, values, [kThreads / kWarp]);
  SIMT_SHARED(int, places, [kThreads / kWarp]);
  const int cluster = call.scored.columns;
  const int count = call.scored.rows * cluster;
  Best least;  // of the negated scores
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) {
    const float score = call.scored.data[i / cluster * call.scored.stride + i % cluster];
    const Best mine{-score, i};
    least = better(mine, least) ? mine : least;
  }
  least = best_of_block(least, values, places);
  for (int i = static_cast<int>(threadIdx.x); i < call.logits.columns; i += kThreads) {
    call.logits.data[i] = -least.value - 1;
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) {
    const int token = call.tokens[call.chosen[i / cluster] * cluster + i % cluster];
    call.logits.data[token] = call.scored.data[i / cluster * call.scored.stride + i % cluster];
  }
}

constexpr int kSampleThreads = 1024;
constexpr int kMostKept = kMostOrder + 512;

// Ordered as the scores are; a NaN is below all.
__device__ __forceinline__ unsigned key_of(float x) {
  const unsigned bits = __float_as_uint(x);
  const unsigned key = (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
  return x == x ? key : 0U;
}

// The key of the k-th largest, eight bits at a time.
__device__ __forceinline__ unsigned kth_key(const float* row, int columns, int k, int (&bins)[256],
                                            unsigned& prefix, int& left) {
  const int t = static_cast<int>(threadIdx.x);
  if (t == 0) {
    prefix = 0;
    left = k;
  }
  for (int shift = 24; shift >= 0; shift -= 8) {
    for (int b = t; b < 256; b += kSampleThreads) {
      bins[b] = 0;
    }
    __syncthreads();
    const unsigned above = shift == 24 ? 0U : ~0U << (shift + 8), known = prefix;
    for (int i = t; i < columns; i += kSampleThreads) {
      const unsigned key = key_of(row[i]);
      if ((key & above) == known) {
        atomicAdd(&bins[key >> shift & 255U], 1);
      }
    }
    __syncthreads();
    if (t == 0) {
      int bin = 255;
      while (bin > 0 && bins[bin] < left) {
        left -= bins[bin--];
      }
      prefix |= static_cast<unsigned>(bin) << shift;
    }
    __syncthreads();
  }
  return prefix;
}

struct Kept {
  float value[kMostKept];
  int id[kMostKept];
};

// Appends, in order of ids, those whose key is above `least` (or equals it) while there is room.
__device__ __forceinline__ int keep(const float* row, int columns, unsigned least, bool equal,
                                    int count, Kept& kept, int (&warps)[kSampleThreads / kWarp]) {
  const int t = static_cast<int>(threadIdx.x), lane = t % kWarp;
  for (int first = 0; first < columns; first += kSampleThreads) {
    const int i = first + t;
    const unsigned key = i < columns ? key_of(row[i]) : 0U;
    const bool mine = i < columns && key != 0 && (equal ? key == least : key > least);
    const unsigned votes = __ballot_sync(kAllLanes, mine);
    if (lane == 0) {
      warps[t / kWarp] = __popc(votes);
    }
    const int all = __syncthreads_count(mine);
    int at = count + __popc(votes & ((1U << lane) - 1U));
    for (int w = 0; w < t / kWarp; ++w) {
      at += warps[w];
    }
    if (mine && at < kMostKept) {
      kept.value[at] = row[i];
      kept.id[at] = i;
    }
    count = smaller(count + all, kMostKept);
    __syncthreads();  // nobody reads `warps` any more
  }
  return count;
}

// By descending value and then by id: each finds how many come before it.
__device__ __forceinline__ void sort(const Kept& kept, int count, Kept& sorted) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kSampleThreads) {
    const Best mine{kept.value[i], kept.id[i]};
    int before = 0;
    for (int j = 0; j < count; ++j) {
      before += better({kept.value[j], kept.id[j]}, mine) ? 1 : 0;
    }
    sorted.value[before] = mine.value;
    sorted.id[before] = mine.at;
  }
}

__device__ __forceinline__ int drawn(const Kept& sorted, const double* weight, int count,
                                     double top_p, double u) {
  double all = 0, prefix = 0, sum = 0;
  for (int i = 0; i < count; ++i) {
    all += weight[i];
  }
  int kept = 0;
  while (kept < count && (kept == 0 || prefix < top_p * all)) {
    prefix += weight[kept++];
  }
  for (int i = 0; i < kept; ++i) {
    sum += weight[i];
    if (sum > u * prefix) {
      return sorted.id[i];
    }
  }
  return sorted.id[kept - 1];
}

__global__ void __launch_bounds__(kSampleThreads) sample_kernel(Sample call) {
  SIMT_SHARED(int, bins, [256]);
  SIMT_SHARED(int, warps, [kSampleThreads / kWarp]);
  SIMT_SHARED(unsigned, prefix, [1]);
  SIMT_SHARED(int, left, [1]);
  SIMT_SHARED(Kept, kept, [1]);
  SIMT_SHARED(Kept, sorted, [1]);
  SIMT_SHARED(double, weight, [kMostKept]);
  const long r = blockIdx.x;
  const float* row = call.scores.data + r * call.scores.stride;
  const int columns = call.scores.columns;
  const unsigned least =
      kth_key(row, columns, smaller(call.top_k, columns), bins, prefix[0], left[0]);
  int count = keep(row, columns, least, false, 0, kept[0], warps);
  count = keep(row, columns, least, true, count, kept[0], warps);
  sort(kept[0], count, sorted[0]);
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kSampleThreads) {
    const float value = sorted[0].value[i], most = sorted[0].value[0];
    weight[i] = value == most ? 1.0
                              : exp((static_cast<double>(value) - static_cast<double>(most)) /
                                    static_cast<double>(call.temperature));
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    call.token[r] =
        count == 0 ? 0
                   : drawn(sorted[0], weight, count, static_cast<double>(call.top_p), call.u[r]);
  }
}

}  // namespace

void sample(Stream& stream, const Sample& call) {
  if (!(call.temperature >= 0) || !(call.top_p > 0 && call.top_p <= 1) || call.top_k < 1 ||
      call.top_k > kMostOrder) {
    throw std::invalid_argument("sample: got a temperature of " + std::to_string(call.temperature) +
                                ", top_k " + std::to_string(call.top_k) + ", top_p " +
                                std::to_string(call.top_p) +
                                ", expected 0 or more, 1 to 1024, and more than 0 up to 1");
  }
  if (call.temperature == 0) {
    argmax(stream, call.scores, call.token);
  } else {
    SIMT_LAUNCH(stream, call.scores.rows, kSampleThreads, 0, sample_kernel, call);
  }
}

void argmax(Stream& stream, const DeviceRows& scores, int* token) {
  SIMT_LAUNCH(stream, scores.rows, kThreads, 0, argmax_kernel, scores, token);
}

void largest(Stream& stream, const DeviceRows& scores, int count, int* order) {
  if (scores.columns > kMostScores || count > kMostOrder || count > scores.columns) {
    throw std::invalid_argument("largest: got " + std::to_string(count) + " of " +
                                std::to_string(scores.columns) +
                                ", expected at most 1024 of 16384");
  }
  SIMT_LAUNCH(stream, 1, kThreads, 0, largest_kernel, scores, count, order);
}

void ordered_scores(Stream& stream, const OrderedScores& call) {
  SIMT_LAUNCH(stream, 1, kThreads, 0, ordered_scores_kernel, call);
}

}  // namespace assay::cuda
