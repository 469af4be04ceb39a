// SPDX-License-Identifier: Apache-2.0
// What the readable reference costs, at shapes of the family: the base line of every faster kernel.
//
// Names are stem/shape/dtype. Each benchmark looks at its result once before it is timed. The
// reference is not tuned; these numbers say where its time goes, not how fast Gemma 4 can be.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>

#include "reference/ops/attention.h"
#include "reference/ops/gelu.h"
#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/rope.h"

namespace assay::reference_f32 {
namespace {

using benchmark::Counter;

// Values in (-1, 1), the same in every run.
template <class AnyTensor>
void fill(AnyTensor& x) {
  std::uint32_t state = 1;
  for (auto& value : x) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<Real>(state >> 8) / static_cast<Real>(1u << 23) - Real(1);
  }
}

template <std::size_t Rank>
xt::xtensor<Real, Rank> filled(const std::array<std::size_t, Rank>& shape) {
  xt::xtensor<Real, Rank> x = xt::xtensor<Real, Rank>::from_shape(shape);
  fill(x);
  return x;
}

// Refuses to time a wrong answer.
bool differs(benchmark::State& state, double got, double expected, double bound) {
  const bool wrong = !(std::abs(got - expected) <= bound);
  if (wrong) {
    state.SkipWithError("the result is wrong");
  }
  return wrong;
}

void report(benchmark::State& state, double bytes, double flops) {
  const auto rate = Counter::kIsIterationInvariantRate;
  state.counters["bytes"] = Counter(bytes, rate, Counter::kIs1000);
  state.counters["flops"] = Counter(flops, rate, Counter::kIs1000);
}

void bench_rms_norm(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto width = static_cast<std::size_t>(state.range(1));
  const auto x = filled<2>({rows, width});
  const Tensor<D> scale({width}, Real(1));
  const auto y = rms_norm(x, scale, 1e-6);
  double squares = 0;
  for (std::size_t d = 0; d < width; ++d) {
    squares += static_cast<double>(y(0, d)) * static_cast<double>(y(0, d));
  }
  if (differs(state, squares / static_cast<double>(width), 1.0, 1e-4)) {
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(rms_norm(x, scale, 1e-6));
  }
  const double elements = static_cast<double>(rows * width);
  report(state, 8 * elements, 4 * elements);
}
BENCHMARK(bench_rms_norm)
    ->Name("rms_norm/f32")
    ->Args({1, 1536})
    ->Args({128, 1536})
    ->Args({128, 5376});

void bench_linear(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto inputs = static_cast<std::size_t>(state.range(1));
  const auto outputs = static_cast<std::size_t>(state.range(2));
  const auto x = filled<2>({rows, inputs});
  const auto w = filled<2>({outputs, inputs});
  double expected = 0;
  for (std::size_t i = 0; i < inputs; ++i) {
    expected += static_cast<double>(x(0, i)) * static_cast<double>(w(outputs - 1, i));
  }
  if (differs(state, static_cast<double>(linear(x, w)(0, outputs - 1)), expected, 1e-3)) {
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(linear(x, w));
  }
  const double weights = static_cast<double>(inputs * outputs);
  report(state, 4 * weights, 2 * weights * static_cast<double>(rows));
}
BENCHMARK(bench_linear)
    ->Name("linear/f32")
    ->Args({1, 1536, 6144})
    ->Args({16, 1536, 6144})
    ->Args({128, 1536, 6144})
    ->UseRealTime()  // OpenBLAS has threads of its own
    ->Unit(benchmark::kMillisecond);

void bench_attention_scores(benchmark::State& state) {
  const auto queries = static_cast<std::size_t>(state.range(0));
  const auto keys = static_cast<std::size_t>(state.range(1));
  const std::size_t heads = 8;
  const std::size_t width = 256;
  const auto q = filled<3>({queries, heads, width});
  const auto k = filled<3>({keys, 1, width});
  double expected = 0;
  for (std::size_t h = 0; h < width; ++h) {
    expected += static_cast<double>(q(0, 0, h)) * static_cast<double>(k(0, 0, h));
  }
  if (differs(state, static_cast<double>(attention_scores(q, k)(0, 0, 0)), expected, 1e-4)) {
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(attention_scores(q, k));
  }
  const double products = static_cast<double>(queries * heads * keys * width);
  report(state, 4 * static_cast<double>(q.size() + k.size()), 2 * products);
}
BENCHMARK(bench_attention_scores)
    ->Name("attention_scores/f32")
    ->Args({1, 512})
    ->Args({128, 512})
    ->Unit(benchmark::kMillisecond);

void bench_rope(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto x = filled<3>({rows, 8, 256});
  const std::vector<std::int32_t> positions(rows, 1000);
  const auto table = rope_table(positions, 256, {10000.0, 1.0});
  const double expected = static_cast<double>(x(0, 0, 0)) * std::cos(1000.0) -
                          static_cast<double>(x(0, 0, 128)) * std::sin(1000.0);
  if (differs(state, static_cast<double>(rope(x, table)(0, 0, 0)), expected, 1e-6)) {
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(rope(x, table));
  }
  report(state, 8 * static_cast<double>(x.size()), 3 * static_cast<double>(x.size()));
}
BENCHMARK(bench_rope)->Name("rope/f32")->Arg(1)->Arg(128);

void bench_gelu(benchmark::State& state) {
  const auto x = filled<2>({static_cast<std::size_t>(state.range(0)), 6144});
  const double v = static_cast<double>(x(0, 0));
  const double expected =
      0.5 * v * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v)));
  if (differs(state, static_cast<double>(gelu(x)(0, 0)), expected, 1e-6)) {
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(gelu(x));
  }
  report(state, 8 * static_cast<double>(x.size()), 8 * static_cast<double>(x.size()));
}
BENCHMARK(bench_gelu)->Name("gelu/f32")->Arg(1)->Arg(16);

}  // namespace
}  // namespace assay::reference_f32
