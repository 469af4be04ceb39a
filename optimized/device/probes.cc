// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/probes.h"

#include <algorithm>
#include <chrono>

#include "optimized/device/features.h"
#include "optimized/device/probe_loops.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;
constexpr std::size_t kPage = 4096;
constexpr int kRepetitions = 5;

template <class Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double rate_of(Loop loop, const Threads& threads) {
  if (loop.run == nullptr) {
    return 0;
  }
  double best = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    const double seconds = seconds_of([&] { threads.run([&](int, int) { loop.run(); }); });
    best = std::max(best, loop.operations * threads.count() / seconds);
  }
  return best;
}

}  // namespace

double read_rate(const std::byte* memory, std::size_t bytes, const Threads& threads) {
  const double whole = seconds_of([&] {
    threads.split(bytes / kPage, 1, [&](std::size_t first, std::size_t end) {
      read_all(memory + first * kPage, (end - first) * kPage);
    });
  });
  const double pieces = seconds_of([&] {
    threads.run([&](int thread, int count) {
      const std::size_t step = kPiece * static_cast<std::size_t>(count);
      for (std::size_t at = kPiece * static_cast<std::size_t>(thread); at < bytes; at += step) {
        read_all(memory + at, std::min(kPiece, bytes - at) / kPage * kPage);
      }
    });
  });
  return static_cast<double>(bytes) / std::min(whole, pieces);
}

Loop int8_dot_loop() {
  const Features has = features();
  return has.avx512_vnni ? vnni_loop()
         : has.avx_vnni  ? avx_vnni_loop()
         : has.avx2      ? maddubs_loop()
                         : Loop();
}

ArithmeticRates arithmetic_rates(const Threads& threads) {
  const Features has = features();
  ArithmeticRates rates;
  rates.fma = rate_of(fma_loop(), threads);
  if (has.avx512_bf16) {
    rates.bf16_dot = rate_of(bf16_dot_loop(), threads);
  }
  if (const Loop loop = int8_dot_loop(); loop.run != nullptr) {
    rates.int8_dot = rate_of(loop, threads);
  }
  return rates;
}

}  // namespace assay::cpu
