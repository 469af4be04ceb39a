// SPDX-License-Identifier: Apache-2.0
// The part of CUDA C++ that kernels here use, for compilers other than nvcc. Names are CUDA's.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>

#include "optimized/device/cuda/executor.h"

#define __global__
#define __device__
#define __host__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

// A section attribute would not do: g++ ignores it on the statics of templates.
#define SIMT_SHARED(T, name, dims)                                \
  using name##_simt_type = T dims;                                \
  static const char name##_simt_tag = 0;                          \
  name##_simt_type& name = /* NOLINT */                           \
      *static_cast<name##_simt_type*>(assay::simt::static_shared( \
          &name##_simt_tag, #name " of " SIMT_HERE, sizeof(name##_simt_type)))
#define SIMT_DYN_SHARED(T, name) T* name = static_cast<T*>(assay::simt::dynamic_shared())

namespace assay::simt {

template <class T>
std::uint64_t to_slot(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t slot = 0;
  std::memcpy(&slot, &value, sizeof value);
  return slot;
}
template <class T>
T from_slot(std::uint64_t slot) {
  T value;
  std::memcpy(&value, &slot, sizeof value);
  return value;
}

template <class T>
T shuffle(unsigned mask, T value, unsigned from, const char* where) {
  const auto* slots = warp_exchange(mask, to_slot(value), where, Memory::kUnordered);
  if ((mask >> from & 1u) == 0) {
    fail_here("shuffle reads lane " + std::to_string(from) + ", which is outside its mask");
  }
  return from_slot<T>(slots[from]);
}
inline unsigned ballot(unsigned mask, bool predicate, const char* where) {
  const auto* slots = warp_exchange(mask, predicate, where, Memory::kUnordered);
  unsigned result = 0;
  for (unsigned l = 0; l < 32; ++l) {
    result |= (mask >> l & 1u) != 0 && slots[l] != 0 ? 1u << l : 0u;
  }
  return result;
}
inline unsigned lane_above(unsigned by) {
  return lane() + by < 32 ? lane() + by : lane();
}
inline unsigned lane_below(unsigned by) {
  return lane() >= by ? lane() - by : lane();
}
inline unsigned mask_or_all(unsigned mask = 0xffffffffu) {
  return mask;
}

}  // namespace assay::simt

#define threadIdx assay::simt::index.thread
#define blockIdx assay::simt::index.block
#define blockDim assay::simt::index.block_dim
#define gridDim assay::simt::index.grid_dim
constexpr int warpSize = 32;

#define __syncthreads() assay::simt::sync_threads(SIMT_HERE)
#define __syncthreads_count(p) assay::simt::sync_threads_count(SIMT_HERE, (p) != 0)
#define __syncthreads_or(p) (assay::simt::sync_threads_count(SIMT_HERE, (p) != 0) != 0)
#define __syncwarp(...)                                                                  \
  static_cast<void>(assay::simt::warp_exchange(assay::simt::mask_or_all(__VA_ARGS__), 0, \
                                               SIMT_HERE, assay::simt::Memory::kOrdered))
#define __shfl_sync(m, v, l) assay::simt::shuffle(m, v, static_cast<unsigned>(l) & 31u, SIMT_HERE)
#define __shfl_xor_sync(m, v, x) \
  assay::simt::shuffle(m, v, assay::simt::lane() ^ static_cast<unsigned>(x), SIMT_HERE)
#define __shfl_down_sync(m, v, d) \
  assay::simt::shuffle(m, v, assay::simt::lane_above(static_cast<unsigned>(d)), SIMT_HERE)
#define __shfl_up_sync(m, v, d) \
  assay::simt::shuffle(m, v, assay::simt::lane_below(static_cast<unsigned>(d)), SIMT_HERE)
#define __ballot_sync(m, p) assay::simt::ballot(m, (p) != 0, SIMT_HERE)
#define __any_sync(m, p) (assay::simt::ballot(m, (p) != 0, SIMT_HERE) != 0)
#define __all_sync(m, p) (assay::simt::ballot(m, (p) != 0, SIMT_HERE) == (m))

// An OS thread never switches fibers inside.
template <class T>
T atomicAdd(T* p, T v) {
  if constexpr (std::is_integral_v<T>) {
    return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
  } else {
    T old, sum;
    __atomic_load(p, &old, __ATOMIC_RELAXED);
    do {
      sum = old + v;
    } while (!__atomic_compare_exchange(p, &old, &sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return old;
  }
}

inline float rsqrtf(float x) {
  return 1.0f / std::sqrt(x);
}
inline float __expf(float x) {
  return std::exp(x);
}
inline float __fdividef(float x, float y) {
  return x / y;
}
inline unsigned __float_as_uint(float x) {
  return std::bit_cast<unsigned>(x);
}
inline float __uint_as_float(unsigned x) {
  return std::bit_cast<float>(x);
}
inline int __float_as_int(float x) {
  return std::bit_cast<int>(x);
}
inline float __int_as_float(int x) {
  return std::bit_cast<float>(x);
}
inline int __popc(unsigned x) {
  return std::popcount(x);
}
inline int __ffs(int x) {
  return __builtin_ffs(x);
}
inline int __clz(int x) {
  return std::countl_zero(static_cast<unsigned>(x));
}
template <class T>
T __ldg(const T* p) {
  return *p;
}
