// SPDX-License-Identifier: Apache-2.0
// A warp for each token; a block for the order of all choices.
#include "optimized/kernels/router_cuda.h"

#include <stdexcept>
#include <string>

#include "optimized/kernels/warp_cuda.h"

namespace assay::cuda {
namespace {

constexpr int kMostExperts = 1024;
constexpr int kNormThreads = 128;
constexpr int kGroupThreads = 128;
constexpr int kCombineThreads = 128;

__global__ void __launch_bounds__(kNormThreads) router_norms_kernel(RouterNorms call, float eps) {
  SIMT_SHARED(float, partial, [kNormThreads / kWarp]);
  const long r = blockIdx.x;
  const int columns = call.h.columns;
  const float* h = call.h.data + r * call.h.stride;
  float squares = 0;
  for (int i = static_cast<int>(threadIdx.x); i < columns; i += kNormThreads) {
    squares += h[i] * h[i];
  }
  const float mean = block_sum<kNormThreads>(squares, partial) / static_cast<float>(columns);
  const float factor = 1.0F / sqrtf(mean + eps);
  for (int i = static_cast<int>(threadIdx.x); i < columns; i += kNormThreads) {
    const float normed = h[i] * factor;
    if (call.normed_out != nullptr) {
      call.normed_out[r * columns + i] = normed;
    }
    call.router_in.data[r * call.router_in.stride + i] =
        normed * call.router_scale[i] * call.inverse;
    call.expert_in.data[r * call.expert_in.stride + i] = normed * call.norm[i];
  }
}

// The largest probability that was not taken, and its expert; ties to the lower index.
struct Best {
  float value;
  int expert;
};
__device__ __forceinline__ Best best_of_warp(Best best) {
  for (int o = kWarp / 2; o > 0; o /= 2) {
    const float value = __shfl_xor_sync(kAllLanes, best.value, o);
    const int expert = __shfl_xor_sync(kAllLanes, best.expert, o);
    if (value > best.value || (value == best.value && expert < best.expert)) {
      best = {value, expert};
    }
  }
  return best;
}

__device__ __forceinline__ void soften(float* row, int experts) {
  const int lane = static_cast<int>(threadIdx.x);
  float most = -INFINITY;
  for (int e = lane; e < experts; e += kWarp) {
    most = fmaxf(most, row[e]);
  }
  most = warp_max(most);
  float sum = 0;
  for (int e = lane; e < experts; e += kWarp) {
    row[e] = expf(row[e] - most);
    sum += row[e];
  }
  sum = warp_sum(sum);
  for (int e = lane; e < experts; e += kWarp) {
    row[e] /= sum;
  }
}

__global__ void __launch_bounds__(kWarp) choose_kernel(Choice call) {
  const int lane = static_cast<int>(threadIdx.x);
  const long token = blockIdx.x;
  const int experts = call.logits.columns;
  float* row = call.logits.data + token * call.logits.stride;
  int* expert = call.expert + token * call.slots;
  float* weight = call.weight + token * call.slots;
  soften(row, experts);
  unsigned taken = 0;  // bit i: expert lane + 32 i
  float sum = 0;
  for (int x = 0; x < call.slots; ++x) {
    Best best{-INFINITY, kMostExperts};
    for (int i = 0, e = lane; e < experts; ++i, e += kWarp) {
      if ((taken >> i & 1U) == 0 && row[e] > best.value) {
        best = {row[e], e};
      }
    }
    best = best_of_warp(best);
    if (best.expert == kMostExperts) {  // all that is left is NaN
      best = {NAN, 0};
    }
    if (best.expert % kWarp == lane) {
      taken |= 1U << best.expert / kWarp;
    }
    sum += best.value;
    if (lane == 0) {
      expert[x] = best.expert;
      weight[x] = best.value;
    }
  }
  if (lane != 0) {
    return;
  }
  for (int x = 0; x < call.slots; ++x) {
    const float share = weight[x] / sum;
    if (call.share_out != nullptr) {
      call.share_out[token * call.slots + x] = share;
    }
    weight[x] = share * call.per_expert_scale[expert[x]];
  }
}

// One block: thread e has the experts e, e + kGroupThreads, …
__global__ void __launch_bounds__(kGroupThreads)
    group_kernel(ExpertRows rows, int* first, int* sorted, int* row_of) {
  const int t = static_cast<int>(threadIdx.x);
  for (int e = t; e < rows.experts; e += kGroupThreads) {
    int count = 0;
    for (int c = 0; c < rows.choices; ++c) {
      count += rows.expert[c] == e ? 1 : 0;
    }
    first[e + 1] = count;
  }
  __syncthreads();
  if (t == 0) {
    first[0] = 0;
    for (int e = 0; e < rows.experts; ++e) {
      first[e + 1] += first[e];
    }
  }
  __syncthreads();
  for (int e = t; e < rows.experts; e += kGroupThreads) {
    int at = first[e];
    for (int c = 0; c < rows.choices; ++c) {
      if (rows.expert[c] == e) {
        row_of[c] = at;
        sorted[at++] = c;
      }
    }
  }
}

__global__ void __launch_bounds__(kGroupThreads)
    in_order_kernel(int choices, int* sorted, int* row_of) {
  for (int c = static_cast<int>(threadIdx.x); c < choices; c += kGroupThreads) {
    sorted[c] = c;
    row_of[c] = c;
  }
}

__global__ void __launch_bounds__(kCombineThreads)
    combine_kernel(int slots, const int* row_of, const float* weight, DeviceRows out,
                   DeviceRows y) {
  const long token = blockIdx.x;
  const int d = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  if (d >= y.columns) {
    return;
  }
  float sum = 0;
  for (int x = 0; x < slots; ++x) {
    const long choice = token * slots + x;
    sum += weight[choice] * out.data[row_of[choice] * out.stride + d];
  }
  y.data[token * y.stride + d] = sum;
}

}  // namespace

void router_norms(Stream& stream, const RouterNorms& call, float eps) {
  SIMT_LAUNCH(stream, call.h.rows, kNormThreads, 0, router_norms_kernel, call, eps);
}

void choose_experts(Stream& stream, const Choice& call) {
  if (call.logits.columns > kMostExperts || call.slots > call.logits.columns) {
    throw std::invalid_argument("router: got " + std::to_string(call.slots) + " of " +
                                std::to_string(call.logits.columns) +
                                " experts, expected at most 1024");
  }
  SIMT_LAUNCH(stream, call.logits.rows, kWarp, 0, choose_kernel, call);
}

void group_experts(Stream& stream, const ExpertRows& rows, int* first, int* sorted, int* row_of) {
  if (rows.by_choice) {
    SIMT_LAUNCH(stream, 1, kGroupThreads, 0, in_order_kernel, rows.choices, sorted, row_of);
  } else {
    SIMT_LAUNCH(stream, 1, kGroupThreads, 0, group_kernel, rows, first, sorted, row_of);
  }
}

void combine_experts(Stream& stream, const ExpertRows& rows, const int* row_of, const float* weight,
                     const DeviceRows& out, const DeviceRows& y) {
  const dim3 grid(static_cast<unsigned>(y.rows),
                  static_cast<unsigned>((y.columns + kCombineThreads - 1) / kCombineThreads));
  SIMT_LAUNCH(stream, grid, kCombineThreads, 0, combine_kernel, rows.slots, row_of, weight, out, y);
}

}  // namespace assay::cuda
