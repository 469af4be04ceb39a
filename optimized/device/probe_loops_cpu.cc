// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "optimized/device/probe_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "optimized/device/probe_loops_cpu.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace assay::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kChains = 12;  // of sums: more than an FMA takes cycles, on two ports
constexpr int kSteps = 400000;

// Operations of a run; its sums go where no compiler can follow.
double fma_steps(float* sink) {
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sum[kChains];
  for (auto& each : sum) {
    each = hn::Set(d, 1.0F);
  }
  const auto x = hn::Set(d, sink[0]);
  const auto y = hn::Set(d, sink[1]);
  for (int i = 0; i < kSteps; ++i) {
    for (auto& each : sum) {
      each = hn::MulAdd(each, x, y);
    }
  }
  for (auto& each : sum) {
    sink[2] += hn::GetLane(hn::SumOfLanes(d, each));
  }
  return 2.0 * kSteps * kChains * static_cast<double>(hn::Lanes(d));
}

void read_bytes(const std::uint32_t* from, std::size_t count, std::uint32_t* sink) {
  const hn::ScalableTag<std::uint32_t> d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d);
  auto s1 = hn::Zero(d);
  auto s2 = hn::Zero(d);
  auto s3 = hn::Zero(d);
  for (std::size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    s0 = hn::Xor(s0, hn::LoadU(d, from + i));
    s1 = hn::Xor(s1, hn::LoadU(d, from + i + lanes));
    s2 = hn::Xor(s2, hn::LoadU(d, from + i + 2 * lanes));
    s3 = hn::Xor(s3, hn::LoadU(d, from + i + 3 * lanes));
  }
  *sink += hn::GetLane(hn::Xor(hn::Xor(s0, s1), hn::Xor(s2, s3)));
}

}  // namespace
}  // namespace assay::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::cpu {

HWY_EXPORT(fma_steps);
HWY_EXPORT(read_bytes);

Loop fma_loop() {
  float sink[3] = {0.999F, 1e-3F, 0};
  return {[] {
            static thread_local volatile float seed[3] = {0.999F, 1e-3F, 0};
            float numbers[3] = {seed[0], seed[1], 0};
            HWY_DYNAMIC_DISPATCH(fma_steps)(numbers);
            seed[2] = numbers[2];
          },
          HWY_DYNAMIC_DISPATCH(fma_steps)(sink)};
}

void read_all(const std::byte* memory, std::size_t bytes) {
  std::uint32_t sink = 0;
  HWY_DYNAMIC_DISPATCH(read_bytes)
  (reinterpret_cast<const std::uint32_t*>(memory), bytes / 4, &sink);
  asm volatile("" : : "r"(sink));  // the sum is used: the reads stay
}

}  // namespace assay::cpu
#endif
