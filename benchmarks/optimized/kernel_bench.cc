// SPDX-License-Identifier: Apache-2.0
// Every kernel of the CPU engine on every target, at the shapes of the released models, beside what
// the machine can do at that moment.
//
//   build/release/benchmarks/kernel_bench --benchmark_filter=matmul/q8_0
//
// Rates of a shared machine change within seconds, so each repetition runs its probe next to it and
// `share` is the median of the ratios: of the instruction that the kernel is made of; for matvec,
// whose weights exceed the caches, of reading memory in order; for what works row by row, of
// copying as many bytes. `error` is what it got wrong against doubles: of a product the worst
// output, as a share of sum |w x|; of attention the relative L2 of a row. `openblas` is the rate of
// its sgemm for the same product. scripts/bench/kernel_report.py makes a page of the results.
#include <benchmark/benchmark.h>
#include <cblas.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "benchmarks/optimized/measure.h"
#include "benchmarks/optimized/row_kernels.h"
#include "optimized/device/features.h"
#include "optimized/device/pages.h"
#include "optimized/device/probe_loops.h"
#include "optimized/device/probes.h"
#include "optimized/kernels/attention.h"
#include "optimized/kernels/attention_tile.h"
#include "optimized/kernels/matmul.h"
#include "optimized/kernels/row_ops.h"
#include "optimized/packing/k_blocks.h"

namespace assay::cpu {
namespace {

constexpr std::size_t kStreamed = std::size_t{256} << 20;  // bytes, several times the last cache

int threads_of_run = 1;

struct Random {
  std::uint64_t state = 88172645463325252ULL;
  std::uint32_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<std::uint32_t>(state >> 16);
  }
  float uniform() { return static_cast<float>(next() & 0xFFFFFF) / 8388608.0F - 1.0F; }
};

DType dtype_named(const char* name) {
  const auto rows = all_dtypes();
  return DType(*std::ranges::find(rows, std::string_view(name), &DTypeInfo::name));
}

// Weights with sane scales: denormal products would be several times slower.
struct Weights {
  Weights(const char* stored, std::size_t rows, std::size_t columns)
      : view(plan_rows(dtype_named(stored), rows, columns)) {
    memory = Pages(view.bytes());
    view.data = memory.data();
    fill();
  }

  void fill() {
    Random random;
    auto* const words = reinterpret_cast<std::uint32_t*>(memory.data());
    for (std::size_t i = 0; i < view.bytes() / 4; ++i) {
      words[i] = word(i, random);
    }
  }

  std::uint32_t word(std::size_t i, Random& random) const {
    constexpr std::uint32_t kSmall = 0x20012003U;  // two f16
    const auto in_scales = [i](std::size_t block, std::size_t scales) {
      return i * 4 % block < scales;
    };
    switch (view.layout) {
      case WeightLayout::kQ8:
        return in_scales(544, 32) ? kSmall : random.next();
      case WeightLayout::kQ4:
        return in_scales(288, 32) ? kSmall : random.next();
      case WeightLayout::kK: {
        const KPlaces places = k_places(*k_type(view.stored));
        return in_scales(places.bytes, places.scales) ? kSmall : random.next() & 0x3F3F3F3FU;
      }
      case WeightLayout::kBf16:
        return 0x3C003C00U | (random.next() & 0x807F807FU);
      case WeightLayout::kF32:
      case WeightLayout::kRows:
        break;
    }
    return std::bit_cast<std::uint32_t>(random.uniform());
  }

  WeightView view;
  Pages memory;
};

// The instruction that products of a format are made of, on the target in use.
Loop probe_of(RowFormat format) {
  if (format == RowFormat::kBf16) {
    return bf16_dot_loop();
  }
  if (is_int8(format)) {
    const Loop loop = int8_dot_loop();
    return loop.run != nullptr ? loop : fma_loop();
  }
  return fma_loop();
}

// Runs the work and its probe in turn; operations is of one run of the work.
template <class Work>
void measure_compute(benchmark::State& state, const Threads& threads, Loop probe, double operations,
                     const Work& work) {
  std::vector<double> rates;
  std::vector<double> shares;
  for (auto _ : state) {
    const double start = now();
    work();
    const double seconds = now() - start;
    state.SetIterationTime(seconds);
    const double probe_start = now();
    threads.run([&](int, int) { probe.run(); });
    const double ceiling = probe.operations * threads.count() / (now() - probe_start);
    rates.push_back(operations / seconds);
    shares.push_back(operations / seconds / ceiling);
  }
  state.counters["Gop/s"] = median(rates) / 1e9;
  state.counters["share"] = median(shares);
}

// The largest error of some outputs, as a share of sum |w x|: what the format of x loses, and what
// the sum does.
double error_of(const WeightView& weight, const std::vector<float>& x, const float* y,
                std::size_t stride) {
  constexpr std::size_t kSamples = 64;
  std::vector<float> row(weight.columns);
  double worst = 0;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::size_t n = i * (weight.rows - 1) / (kSamples - 1);
    const std::size_t t = i * (x.size() / weight.columns - 1) / (kSamples - 1);
    unpack_row(weight, n, row.data());
    double sum = 0;
    double magnitude = 0;
    for (std::size_t k = 0; k < weight.columns; ++k) {
      const double product = static_cast<double>(row[k]) * x[t * weight.columns + k];
      sum += product;
      magnitude += std::abs(product);
    }
    worst = std::max(worst, std::abs(sum - y[t * stride + n]) / magnitude);
  }
  return worst;
}

// Operations a second of OpenBLAS for the same product of f32: x row-major, w [rows, columns].
double openblas_rate(const std::vector<float>& x, std::size_t rows, std::size_t columns) {
  const std::size_t tokens = x.size() / columns;
  Random random;
  std::vector<float> w(rows * columns);
  std::ranges::generate(w, [&] { return random.uniform(); });
  std::vector<float> y(tokens * rows);
  const auto size = [](std::size_t n) { return static_cast<blasint>(n); };
  std::vector<double> rates;
  for (int i = 0; i < 5; ++i) {
    const double start = now();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size(tokens), size(rows), size(columns),
                1.0F, x.data(), size(columns), w.data(), size(columns), 0.0F, y.data(), size(rows));
    rates.push_back(2.0 * static_cast<double>(tokens * rows * columns) / (now() - start));
  }
  return median(rates);
}

void matmul(benchmark::State& state, const std::string& target, const char* stored,
            Arithmetic arithmetic, std::size_t rows, std::size_t columns, std::size_t tokens) {
  use_target(target);
  const Threads threads(threads_of_run);
  const Weights weights(stored, rows, columns);
  const RowFormat format = row_format(weights.view.layout, arithmetic, tokens);
  std::vector<float> x(tokens * columns);
  Random random;
  std::ranges::generate(x, [&] { return random.uniform(); });
  RowPanels panels;
  panels.pack({x.data(), columns, tokens, columns}, format, threads);
  const std::size_t stride = round_up(rows, kTileRows);
  PageArray<float> y(tokens * stride);
  const Product product{&weights.view, &panels, y.data(), stride};
  const double operations =
      2.0 * static_cast<double>(rows * columns * tokens) * static_cast<double>(digits_of(format));
  measure_compute(state, threads, probe_of(format), operations, [&] {
    multiply({&product, 1}, threads);
  });
  state.counters["error"] = error_of(weights.view, x, y.data(), stride);
  if (weights.view.layout == WeightLayout::kF32) {
    // Beside it, on the best that OpenBLAS finds here.
    openblas_set_num_threads(threads.count());
    state.counters["openblas"] = openblas_rate(x, rows, columns) / 1e9;
  }
  use_target("");
}

void matvec(benchmark::State& state, const std::string& target, const char* stored,
            Arithmetic arithmetic, std::size_t columns) {
  use_target(target);
  const Threads threads(threads_of_run);
  const std::size_t tile = plan_rows(dtype_named(stored), kTileRows, columns).tile;
  const std::size_t rows = kStreamed / tile * kTileRows;
  const Weights weights(stored, rows, columns);
  const RowFormat format = row_format(weights.view.layout, arithmetic, 1);
  std::vector<float> x(columns);
  Random random;
  std::ranges::generate(x, [&] { return random.uniform(); });
  RowPanels panels;
  panels.pack({x.data(), columns, 1, columns}, format, threads);
  PageArray<float> y(rows);
  const Product product{&weights.view, &panels, y.data(), rows};
  const auto bytes = static_cast<double>(weights.view.bytes());
  std::vector<double> rates;
  std::vector<double> shares;
  for (auto _ : state) {
    const double before = read_rate(weights.view.data, weights.view.bytes(), threads);
    const double start = now();
    multiply({&product, 1}, threads);
    const double seconds = now() - start;
    state.SetIterationTime(seconds);
    const double after = read_rate(weights.view.data, weights.view.bytes(), threads);
    rates.push_back(bytes / seconds);
    shares.push_back(bytes / seconds / ((before + after) / 2));
  }
  state.counters["GB/s"] = median(rates) / 1e9;
  state.counters["share"] = median(shares);
  state.counters["error"] = error_of(weights.view, x, y.data(), rows);
  use_target("");
}

// The relative error of the last token's first head, against a softmax in double.
double error_of(const AttentionCall& call) {
  const HeadCache& cache = call.caches[0];
  const std::size_t token = call.tokens - 1;
  const VisibleKeys& visible = call.visible[token];
  const float* const q = call.queries + token * call.stride;
  std::vector<double> scores;
  std::vector<float> row(cache.head_dim);
  for (std::size_t s = visible.first; s <= visible.last; ++s) {
    load_key(cache, s, row.data());
    scores.push_back(std::inner_product(row.begin(), row.end(), q, 0.0));
  }
  const double most = *std::ranges::max_element(scores);
  double total = 0;
  std::vector<double> want(cache.head_dim);
  for (std::size_t s = visible.first; s <= visible.last; ++s) {
    const double weight = std::exp(scores[s - visible.first] - most);
    total += weight;
    load_value(cache, s, row.data());
    for (std::size_t c = 0; c < want.size(); ++c) {
      want[c] += weight * row[c];
    }
  }
  double error = 0;
  double size = 0;
  for (std::size_t c = 0; c < want.size(); ++c) {
    const double value = want[c] / total;
    const double off = value - call.out[token * call.out_stride + c];
    error += off * off;
    size += value * value;
  }
  return std::sqrt(error / size);
}

// 8 heads of queries on one of keys, the last `tokens` of a sequence of `keys`.
void attend(benchmark::State& state, const std::string& target, CacheType type,
            std::size_t head_dim, std::size_t tokens, std::size_t keys) {
  use_target(target);
  constexpr std::size_t kHeads = 8;
  const Threads threads(threads_of_run);
  const std::size_t slots = round_up(keys, kKeyBlock);
  Pages memory(head_bytes(type, slots, head_dim));
  const HeadCache cache = head_cache(type, slots, head_dim, memory.data());
  Random random;
  std::vector<float> one(head_dim);
  for (std::size_t s = 0; s < keys; ++s) {
    std::ranges::generate(one, [&] { return random.uniform(); });
    store_key_value(cache, s, one.data(), one.data());
  }
  std::vector<float> q(tokens * kHeads * head_dim);
  std::ranges::generate(q, [&] { return random.uniform() / 8; });
  std::vector<float> out(q.size());
  std::vector<VisibleKeys> visible(tokens);
  double pairs = 0;
  for (std::size_t t = 0; t < tokens; ++t) {
    visible[t] = {0, keys - tokens + t};
    pairs += static_cast<double>(visible[t].last + 1);
  }
  const std::size_t stride = kHeads * head_dim;
  const AttentionCall call{q.data(), stride,         tokens,     kHeads, &cache,
                           kHeads,   visible.data(), out.data(), stride};
  measure_compute(state, threads, fma_loop(), 4.0 * pairs * static_cast<double>(kHeads * head_dim),
                  [&] { attention(call, threads); });
  state.counters["error"] = error_of(call);
  use_target("");
}

// Beside copying as many bytes: what memory or the arithmetic of the kernel costs.
void rows(benchmark::State& state, const std::string& target, const RowKernel& kernel) {
  use_target(target);
  const Threads threads(threads_of_run);
  const double bytes = kernel.moved * static_cast<double>(kBenchedRows * kernel.width) * 4;
  std::vector<double> rates;
  std::vector<double> shares;
  kernel.run(threads);
  for (auto _ : state) {
    const double start = now();
    kernel.run(threads);
    const double seconds = now() - start;
    state.SetIterationTime(seconds);
    rates.push_back(bytes / seconds);
    shares.push_back(rates.back() / copy_rate(kernel.width, threads));
  }
  state.counters["GB/s"] = median(rates) / 1e9;
  state.counters["share"] = median(shares);
  use_target("");
}

struct WeightKind {
  const char* name;
  const char* stored;
  Arithmetic arithmetic;
};

constexpr WeightKind kWeights[] = {
    {"f32", "F32", Arithmetic::kF32},         {"bf16_exact", "BF16", Arithmetic::kF32},
    {"bf16", "BF16", Arithmetic::kBf16},      {"q8_0_exact", "Q8_0", Arithmetic::kF32},
    {"q8_0", "Q8_0", Arithmetic::kInt8},      {"q4_0_exact", "Q4_0", Arithmetic::kF32},
    {"q4_0", "Q4_0", Arithmetic::kInt8},      {"q4_k_exact", "Q4_K", Arithmetic::kF32},
    {"q5_k_exact", "Q5_K", Arithmetic::kF32}, {"q6_k_exact", "Q6_K", Arithmetic::kF32},
    {"q4_k", "Q4_K", Arithmetic::kInt8},      {"q5_k", "Q5_K", Arithmetic::kInt8},
    {"q6_k", "Q6_K", Arithmetic::kInt8},
};

void register_products(const std::string& target) {
  constexpr std::size_t kTokens = 512;
  for (const WeightKind& each : kWeights) {
    for (const auto& [columns, rows] : {std::pair{1536UL, 6144UL}, {6144UL, 1536UL}}) {
      const std::string shape = std::to_string(columns) + "x" + std::to_string(rows);
      benchmark::RegisterBenchmark(
          ("matmul/" + std::string(each.name) + "/" + shape + "/512/" + target).c_str(),
          [=](benchmark::State& state) {
            matmul(state, target, each.stored, each.arithmetic, rows, columns, kTokens);
          })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
    for (const std::size_t columns : {1536UL, 6144UL}) {
      benchmark::RegisterBenchmark(
          ("matvec/" + std::string(each.name) + "/" + std::to_string(columns) + "/" + target)
              .c_str(),
          [=](benchmark::State& state) {
            matvec(state, target, each.stored, each.arithmetic, columns);
          })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

void register_attention(const std::string& target) {
  struct Shape {
    std::size_t tokens, keys;
  };
  struct Cache {
    const char* name;
    CacheType type;
  };
  constexpr std::array kCaches = {Cache{"f32", CacheType::kF32}, Cache{"bf16", CacheType::kBf16},
                                  Cache{"q8_0", CacheType::kQ8_0}};
  for (const auto& [cache, type] : kCaches) {
    for (const std::size_t head_dim : {256UL, 512UL}) {
      for (const Shape shape : {Shape{1, 512}, Shape{1, 8192}, Shape{512, 512}}) {
        const std::string name = std::string("attention/") + cache + "/" +
                                 std::to_string(head_dim) + "/" + std::to_string(shape.tokens) +
                                 "of" + std::to_string(shape.keys) + "/" + target;
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=, type = type](benchmark::State& state) {
                                       attend(state, target, type, head_dim, shape.tokens,
                                              shape.keys);
                                     })
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
}

void register_rows(const std::string& target) {
  for (const RowKernel& kernel : row_kernels()) {
    const std::string name =
        "rows/" + kernel.name + "/" + std::to_string(kernel.width) + "/" + target;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [=](benchmark::State& state) { rows(state, target, kernel); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace
}  // namespace assay::cpu

// Options of Google Benchmark, and --threads=N.
int main(int count, char** arguments) {
  if (const auto threads = assay::cpu::take(count, arguments, "threads")) {
    assay::cpu::threads_of_run = std::max(1, std::atoi(threads->c_str()));
  }
  benchmark::AddCustomContext("features", assay::cpu::machine_features());
  benchmark::AddCustomContext("threads", std::to_string(assay::cpu::threads_of_run));
  for (const std::string& target : assay::cpu::targets()) {
    assay::cpu::register_products(target);
    assay::cpu::register_attention(target);
    assay::cpu::register_rows(target);
  }
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
