// SPDX-License-Identifier: Apache-2.0
#include "optimized/testing/fault_kernels.h"

#include "optimized/device/cuda/copy.h"
#include "optimized/device/cuda/mma.h"
#include "optimized/device/cuda/simt.h"

namespace assay::cuda {
namespace {

constexpr unsigned kAll = 0xffffffffu;
constexpr int kDynamic = 64;  // ints of dynamic shared memory

// Barriers of the block: s[t] is in[t] and the counter 0.
template <Fault kFault>
__device__ __forceinline__ int block_fault(int* s, int* count, int t) {
  const int neighbour = (t + 1) % kFaultThreads;
  if constexpr (kFault == Fault::kShiftInPlace) {
    s[t] = s[neighbour];
    __syncthreads();
    return s[t];
  }
  if constexpr (kFault == Fault::kAtomicCount) {
    atomicAdd(count, 1);
    __syncthreads();
    return *count;
  }
  if constexpr (kFault == Fault::kPlainCount) {
    ++*count;
    __syncthreads();
    return *count;
  }
  if constexpr (kFault == Fault::kPastTheEnd) {
    if (t == kFaultThreads - 1) {
      s[t + 1] = 5;
    }
  }
  if constexpr (kFault == Fault::kBeforeTheStart) {
    if (t == 0) {
      s[t - 1] = 5;
    }
  }
  if constexpr (kFault == Fault::kHalfBarrier) {
    if (t < 32) {
      __syncthreads();
    }
  }
  if constexpr (kFault == Fault::kTwoBarriers) {
    if (t < 32) {
      __syncthreads();
    } else {
      __syncthreads();
    }
  }
  return s[neighbour];
}

// Warps: lanes exchange in[t] with those beside them.
template <Fault kFault>
__device__ __forceinline__ int warp_fault(int* s, const int* in, int t) {
  int v = in[t];
  if constexpr (kFault == Fault::kHalfWarps) {
    if (t % 32 < 16) {
      for (int i = 0; i < 3; ++i) {
        v = __shfl_xor_sync(0xffffu, v, 1);
      }
    } else {
      v = __shfl_xor_sync(0xffff0000u, v, 1);
    }
  }
  if constexpr (kFault == Fault::kMissingSyncwarp) {
    s[t] = v;
    v = s[t ^ 1];
  }
  if constexpr (kFault == Fault::kShuffleInBranch) {
    if (t % 2 == 0) {
      v = __shfl_xor_sync(kAll, v, 1);
    } else {
      v = __shfl_xor_sync(kAll, v, 1);
    }
  }
  if constexpr (kFault == Fault::kShuffleOutside) {
    if (t % 32 < 16) {
      v = __shfl_xor_sync(0xffffu, v, 16);
    }
  }
  if constexpr (kFault == Fault::kMaskWithoutMe) {
    v = __shfl_xor_sync(0xffffu, v, 1);
  }
  if constexpr (kFault == Fault::kDeadLanes) {
    if (t % 32 == 31) {
      return v;  // and the lane ends
    }
    __syncwarp(0x7fffffffu);
    v = __shfl_xor_sync(0xffffffffu, v, 1);
  }
  return v;
}

// The second warp gives, the first takes.
template <Fault kFault>
__device__ __forceinline__ int named_fault(int* s, const int* in, int t) {
  if (t >= 32) {
    s[t] = in[t];
    if constexpr (kFault != Fault::kNamedMissing) {
      simt::barrier_arrive(1, kFault == Fault::kNamedShort ? 32 : kFaultThreads);
    }
    return in[t];
  }
  if constexpr (kFault == Fault::kNamedShort) {
    simt::barrier_sync(2, kFaultThreads);
  } else if constexpr (kFault != Fault::kNamedMissing) {
    simt::barrier_sync(1, kFaultThreads);
  }
  return s[t + 32];
}

// 16 threads bring all values; each waits for its own, then all meet.
template <Fault kFault>
__device__ __forceinline__ int copy_fault(int* s, const int* in, int t) {
  if (t < kFaultThreads / 4) {
    simt::copy16_async(s + 4 * t, in + 4 * t);
    simt::copy_commit_group();
    if constexpr (kFault == Fault::kAsyncCopy || kFault == Fault::kCopyMissingBarrier) {
      simt::copy_wait_group<0>();
    }
  }
  if constexpr (kFault != Fault::kCopyMissingBarrier) {
    __syncthreads();
  }
  const int v = s[(t + 1) % kFaultThreads];
  if constexpr (kFault == Fault::kCopyNoWait) {
    simt::copy_wait_group<0>();
  }
  return v;
}

__host__ __device__ constexpr bool among_named(Fault f) {
  return f == Fault::kNamedBarriers || f == Fault::kNamedShort || f == Fault::kNamedMissing;
}
__host__ __device__ constexpr bool among_copies(Fault f) {
  return f == Fault::kAsyncCopy || f == Fault::kCopyNoWait || f == Fault::kCopyNeverWaited ||
         f == Fault::kCopyMissingBarrier;
}
__host__ __device__ constexpr bool among_warps(Fault f) {
  return f == Fault::kHalfWarps || f == Fault::kMissingSyncwarp || f == Fault::kShuffleInBranch ||
         f == Fault::kShuffleOutside || f == Fault::kMaskWithoutMe || f == Fault::kDeadLanes;
}

template <Fault kFault>
__global__ void fault_kernel(const int* in, int* out) {
  SIMT_DYN_SHARED(int, dynamic);
  SIMT_SHARED(int, s, [kFaultThreads]);
  SIMT_SHARED(int, count, [1]);
  const int t = static_cast<int>(threadIdx.x);
  if constexpr (kFault == Fault::kPastDynamic) {
    dynamic[t + 1] = in[t];
  } else {
    dynamic[t] = in[t];
  }
  if constexpr (among_warps(kFault)) {
    out[t] = warp_fault<kFault>(s, in, t);
  } else if constexpr (among_named(kFault)) {
    out[t] = named_fault<kFault>(s, in, t);
  } else if constexpr (among_copies(kFault)) {
    out[t] = copy_fault<kFault>(s, in, t);
  } else {
    if (kFault != Fault::kUnwritten || t % 2 == 0) {
      s[t] = in[t];
    }
    if (t == 0) {
      count[0] = 0;
    }
    if constexpr (kFault == Fault::kEarlyExit) {
      if (t >= 32) {
        out[t] = in[(t + 1) % kFaultThreads];
        return;
      }
    }
    if constexpr (kFault != Fault::kMissingBarrier) {
      __syncthreads();
    }
    out[t] = block_fault<kFault>(s, count, t);
  }
}

__global__ void mma_kernel(bool wrong, const std::uint16_t* a, const std::uint16_t* b, float* d) {
  const int lane = static_cast<int>(threadIdx.x), g = lane / 4, t = lane % 4;
  const auto pair = [](const std::uint16_t* at) { return at[0] | unsigned{at[1]} << 16; };
  unsigned fa[4], fb[2];
  for (int i = 0; i < 4; ++i) {
    const int slot = wrong && (i == 1 || i == 2) ? 3 - i : i;
    fa[slot] = pair(a + (g + 8 * (i % 2)) * 16 + 2 * t + 8 * (i / 2));
  }
  for (int i = 0; i < 2; ++i) {
    fb[i] = pair(b + g * 16 + 2 * t + 8 * i);
  }
  float sum[4] = {};
  simt::mma_m16n8k16(sum, fa, fb);
  for (int i = 0; i < 4; ++i) {
    d[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = sum[i];
  }
}

__global__ void scale_add_kernel(float a, const float* x, const float* y, float* out, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) {
    out[i] = a * x[i] + y[i];
  }
}

template <int kFirst>
void dispatch(Stream& stream, Fault fault, const int* in, int* out) {
  if (static_cast<int>(fault) == kFirst) {
    constexpr Fault kFault = static_cast<Fault>(kFirst);
    SIMT_LAUNCH(stream, kFault == Fault::kBlocksCollide ? 2 : 1, kFaultThreads,
                kDynamic * sizeof(int), fault_kernel<kFault>, in, out);
  } else if constexpr (kFirst < static_cast<int>(Fault::kEarlyExit)) {
    dispatch<kFirst + 1>(stream, fault, in, out);
  }
}

}  // namespace

void run_fault(Stream& stream, Fault fault, const int* in, int* out) {
  dispatch<0>(stream, fault, in, out);
}

int expected_of(Fault fault, const int* in, int t) {
  if (fault == Fault::kAtomicCount || fault == Fault::kPlainCount) {
    return kFaultThreads;
  }
  if (among_named(fault)) {
    return in[t < 32 ? t + 32 : t];
  }
  if (among_warps(fault)) {
    return in[t ^ 1];
  }
  return in[(t + 1) % kFaultThreads];
}

void run_mma(Stream& stream, bool wrong_fragment, const std::uint16_t* a, const std::uint16_t* b,
             float* d) {
  SIMT_LAUNCH(stream, 1, 32, 0, mma_kernel, wrong_fragment, a, b, d);
}

void scale_add(Stream& stream, float a, const float* x, const float* y, float* out, int count) {
  constexpr int kThreads = 256;
  const auto blocks = static_cast<unsigned>((count + kThreads - 1) / kThreads);
  SIMT_LAUNCH(stream, blocks, kThreads, 0, scale_add_kernel, a, x, y, out, count);
}

}  // namespace assay::cuda
