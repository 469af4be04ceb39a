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

}  // namespace

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
