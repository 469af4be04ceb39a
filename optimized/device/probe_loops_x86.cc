// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/probe_loops.h"

#if defined(__x86_64__)

#include <immintrin.h>

namespace assay::cpu {
namespace {

constexpr int kChains = 12;
constexpr int kSteps = 400000;

// Loops without an effect would go: each step depends on the one before, and the sums end here.
volatile float float_sink;
volatile int int_sink;

#define ASSAY_OPAQUE(x) asm volatile("" : "+v"(x))

__attribute__((target("avx512f,avx512bw,avx512vnni"))) void vnni_steps() {
  __m512i sum[kChains];
  for (__m512i& each : sum) {
    each = _mm512_setzero_si512();
  }
  __m512i x = _mm512_set1_epi8(3);
  const __m512i y = _mm512_set1_epi8(2);
  for (int i = 0; i < kSteps; ++i) {
    for (__m512i& each : sum) {
      each = _mm512_dpbusd_epi32(each, x, y);
    }
    ASSAY_OPAQUE(x);
  }
  for (const __m512i& each : sum) {
    int_sink = _mm512_reduce_add_epi32(each);
  }
}

__attribute__((target("avx512f,avx512bw,avx512bf16"))) void bf16_steps() {
  __m512 sum[kChains];
  for (__m512& each : sum) {
    each = _mm512_setzero_ps();
  }
  __m512i x = _mm512_set1_epi16(0x3f80);
  const auto y = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x2f80));
  for (int i = 0; i < kSteps; ++i) {
    for (__m512& each : sum) {
      each = _mm512_dpbf16_ps(each, reinterpret_cast<__m512bh>(x), y);
    }
    ASSAY_OPAQUE(x);
  }
  for (const __m512& each : sum) {
    float_sink = _mm512_reduce_add_ps(each);
  }
}

__attribute__((target("avx2,avxvnni"))) void avx_vnni_steps() {
  __m256i sum[kChains];
  for (__m256i& each : sum) {
    each = _mm256_setzero_si256();
  }
  __m256i x = _mm256_set1_epi8(3);
  const __m256i y = _mm256_set1_epi8(2);
  for (int i = 0; i < kSteps; ++i) {
    for (__m256i& each : sum) {
      each = _mm256_dpbusd_avx_epi32(each, x, y);
    }
    asm volatile("" : "+x"(x));
  }
  for (const __m256i& each : sum) {
    int_sink = _mm256_extract_epi32(each, 0);
  }
}

__attribute__((target("avx2"))) void maddubs_steps() {
  __m256i sum[kChains];
  for (__m256i& each : sum) {
    each = _mm256_setzero_si256();
  }
  __m256i x = _mm256_set1_epi8(3);
  const __m256i y = _mm256_set1_epi8(2);
  const __m256i one = _mm256_set1_epi16(1);
  for (int i = 0; i < kSteps; ++i) {
    for (__m256i& each : sum) {
      each = _mm256_add_epi32(each, _mm256_madd_epi16(_mm256_maddubs_epi16(x, y), one));
      asm volatile("" : "+x"(x));
    }
  }
  for (const __m256i& each : sum) {
    int_sink = _mm256_extract_epi32(each, 0);
  }
}

#undef ASSAY_OPAQUE

}  // namespace

Loop bf16_dot_loop() {
  return {bf16_steps, 64.0 * kSteps * kChains};
}
Loop vnni_loop() {
  return {vnni_steps, 128.0 * kSteps * kChains};
}
Loop avx_vnni_loop() {
  return {avx_vnni_steps, 64.0 * kSteps * kChains};
}
Loop maddubs_loop() {
  return {maddubs_steps, 64.0 * kSteps * kChains};
}

}  // namespace assay::cpu

#else

namespace assay::cpu {

Loop bf16_dot_loop() {
  return {};
}
Loop vnni_loop() {
  return {};
}
Loop avx_vnni_loop() {
  return {};
}
Loop maddubs_loop() {
  return {};
}

}  // namespace assay::cpu

#endif
