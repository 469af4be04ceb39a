// SPDX-License-Identifier: Apache-2.0
// A program without libraries for a machine that has a device: the layouts that instructions and
// their emulation on the host might misread alike, the products and attention against fp64, two
// runs bit by bit, then the rates of a copy and of products. One JSON object; exit status 77
// without a device.
//
//   device_check [FACTS]     FACTS: what else is known of the machine, printed as it is
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "optimized/device/cuda/stream.h"
#include "optimized/kernels/attention_mma_cuda.h"
#include "optimized/kernels/attention_wgmma_cuda.h"
#include "optimized/kernels/gemm_cuda.h"
#include "optimized/testing/fault_kernels.h"
#include "optimized/testing/pipeline_faults.h"
#include "optimized/testing/tensor_core_bound.h"
#include "optimized/testing/wgmma_faults.h"

namespace assay::cuda {
namespace {

using Halves = std::vector<std::uint16_t>;

Halves random_halves(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Halves values(count);
  for (std::uint16_t& value : values) {
    value = nearest_bf16(normal(random));
  }
  return values;
}

template <class T>
struct There {
  There(Stream& stream, const std::vector<T>& values) : buffer(values.size()) {
    stream.upload(buffer.data(), values.data(), values.size() * sizeof(T));
    stream.synchronize();
  }
  explicit There(std::size_t count) : buffer(count) {}
  std::vector<T> back(Stream& stream) const {
    std::vector<T> values(buffer.size());
    stream.download(values.data(), buffer.data(), values.size() * sizeof(T));
    stream.synchronize();
    return values;
  }
  T* data() const { return buffer.data(); }
  Buffer<T> buffer;
};

// The worst error of y [rows, columns] = x w^T in units of the bound.
double worst_product(const Halves& x, const Halves& w, const std::vector<float>& y,
                     std::size_t columns, std::size_t depth) {
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const ExactSum exact =
        tensor_core_product(&x[i / columns * depth], &w[i % columns * depth], depth);
    const double off = std::abs(static_cast<double>(y[i]) - exact.sum) / exact.bound;
    worst = std::isnan(off) ? INFINITY : std::max(worst, off);
  }
  return worst;
}

double mma_layout(Stream& stream) {
  const Halves a = random_halves(16 * 16, 1), b = random_halves(8 * 16, 2);
  const There<std::uint16_t> a_there(stream, a), b_there(stream, b);
  const There<float> d(16 * 8);
  run_mma(stream, false, a_there.data(), b_there.data(), d.data());
  return worst_product(a, b, d.back(stream), 8, 16);
}

// Tensor maps, the swizzle, descriptors, mbarriers and the layout of D at once.
double wgmma_layout(Stream& stream) {
  const std::size_t depth = 320;
  const Halves x = random_halves(64 * depth, 3), w = random_halves(128 * depth, 4);
  const There<std::uint16_t> x_there(stream, x), w_there(stream, w);
  const There<float> y(64 * 128);
  run_pipeline(stream, PipelineFault::kNone, x_there.data(), w_there.data(),
               static_cast<int>(depth), y.data());
  return worst_product(x, w, y.back(stream), 128, depth);
}

// B transposed, A from shared memory that threads wrote, and from registers.
double transposed_layout(Stream& stream, WgmmaFault right) {
  const Halves a = random_halves(64 * 64, 11), b = random_halves(64 * 256, 12);
  Halves columns(b.size());
  for (std::size_t i = 0; i < b.size(); ++i) {
    columns[i % 256 * 64 + i / 256] = b[i];
  }
  const There<std::uint16_t> a_there(stream, a), b_there(stream, b);
  const There<float> y(64 * 256);
  run_wgmma(stream, right, a_there.data(), b_there.data(), y.data());
  return worst_product(a, columns, y.back(stream), 256, 64);
}

using Product = void (*)(Stream&, const Gemm&);

double product(Stream& stream, Product function, std::size_t rows, std::size_t columns,
               std::size_t depth) {
  const Halves x = random_halves(rows * depth, 5), w = random_halves(columns * depth, 6);
  const There<std::uint16_t> x_there(stream, x), w_there(stream, w);
  const There<float> y(rows * columns), again(rows * columns);
  Gemm call;
  call.rows = static_cast<int>(rows);
  call.columns = static_cast<int>(columns);
  call.depth = static_cast<int>(depth);
  call.x = x_there.data();
  call.w = w_there.data();
  call.y = y.data();
  function(stream, call);
  call.y = again.data();
  function(stream, call);
  const auto first = y.back(stream);
  if (first != again.back(stream)) {
    return INFINITY;  // two runs differ
  }
  return worst_product(x, w, first, columns, depth);
}

using Attention = void (*)(Stream&, const AttentionCall&);

// Attention by tensor cores beside attention, as a share of the largest value; both read the same
// cache of bf16.
double attention_difference(Stream& stream, Attention function, int head_dim) {
  const std::size_t tokens = 70, heads = 4, kv_heads = 2, d = static_cast<std::size_t>(head_dim);
  const There<std::uint16_t> k(stream, random_halves(tokens * kv_heads * d, 7));
  const There<std::uint16_t> v(stream, random_halves(tokens * kv_heads * d, 8));
  std::vector<float> q;
  for (const std::uint16_t half : random_halves(tokens * heads * d, 9)) {
    q.push_back(static_cast<float>(bf16_value(half)) / 16);
  }
  std::vector<QueryKeys> visible;
  for (int t = 0; t < static_cast<int>(tokens); ++t) {
    visible.push_back({std::max(0, t - 40), t, -1});
  }
  const There<float> queries(stream, q), plain(q.size()), tiled(q.size());
  const There<QueryKeys> rows(stream, visible);
  AttentionCall call;
  call.queries = device_rows(queries.data(), tokens, heads * d);
  call.heads = static_cast<int>(heads);
  call.cache = {
      KeyType::kBf16, static_cast<int>(tokens), static_cast<int>(kv_heads), head_dim, k.data(),
      v.data()};
  call.visible = rows.data();
  call.out = device_rows(plain.data(), tokens, heads * d);
  attention(stream, call);
  call.out = device_rows(tiled.data(), tokens, heads * d);
  function(stream, call);
  const auto a = plain.back(stream), b = tiled.back(stream);
  double most = 0, off = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(a[i])));
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    off = std::isnan(difference) ? INFINITY : std::max(off, difference);
  }
  return off / most / 0x1p-7;
}

// 0 when small kernels of barriers, shuffles, copies give what they should.
double barriers(Stream& stream) {
  std::vector<int> in(kFaultThreads);
  for (int t = 0; t < kFaultThreads; ++t) {
    in[static_cast<std::size_t>(t)] = 100 + t;
  }
  const There<int> there(stream, in), out(in.size());
  double wrong = 0;
  for (const Fault right : {Fault::kNone, Fault::kAtomicCount, Fault::kHalfWarps,
                            Fault::kNamedBarriers, Fault::kAsyncCopy}) {
    run_fault(stream, right, there.data(), out.data());
    const auto got = out.back(stream);
    for (int t = 0; t < kFaultThreads; ++t) {
      wrong += got[static_cast<std::size_t>(t)] != expected_of(right, in.data(), t) ? 1 : 0;
    }
  }
  return 2 * wrong;
}

struct Check {
  const char* name;
  bool hopper;                         // needs sm_90a
  std::function<double(Stream&)> run;  // passes up to 1
};

std::vector<Check> checks() {
  const auto of = [](Product function, std::size_t rows, std::size_t columns, std::size_t depth) {
    return [=](Stream& stream) { return product(stream, function, rows, columns, depth); };
  };
  const auto heads = [](Attention function, int dim) {
    return [=](Stream& stream) { return attention_difference(stream, function, dim); };
  };
  const auto transposed = [](WgmmaFault right) {
    return [=](Stream& stream) { return transposed_layout(stream, right); };
  };
  return {{"barriers, shuffles, copies", false, barriers},
          {"layout of mma.m16n8k16", false, mma_layout},
          {"layouts of TMA and WGMMA", true, wgmma_layout},
          {"layouts of WGMMA, B transposed", true, transposed(WgmmaFault::kNone)},
          {"layouts of WGMMA, A in registers", true, transposed(WgmmaFault::kFromRegisters)},
          {"gemm_mma 33 x 65 x 40", false, of(gemm_mma, 33, 65, 40)},
          {"gemm_mma 130 x 129 x 64", false, of(gemm_mma, 130, 129, 64)},
          {"gemm_wgmma 130 x 70 x 328", true, of(gemm_wgmma, 130, 70, 328)},
          {"attention_mma, heads of 64", false, heads(attention_mma, 64)},
          {"attention_mma, heads of 256", false, heads(attention_mma, 256)},
          {"attention_mma, heads of 512", false, heads(attention_mma, 512)},
          {"attention_wgmma, heads of 256", true, heads(attention_wgmma, 256)},
          {"attention_wgmma, heads of 512", true, heads(attention_wgmma, 512)}};
}

// Seconds of one run, the fastest of some.
double seconds(Stream& stream, const std::function<void()>& work) {
  double best = INFINITY;
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    stream.synchronize();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  return best;
}

void print_rates(Stream& stream, const DeviceFacts& facts) {
  const std::size_t bytes = std::size_t{1} << 30;
  const Memory from(bytes), to(bytes);
  const double copy = seconds(stream, [&] { stream.copy(to.data(), from.data(), bytes); });
  std::printf(",\n \"rates\": {\"copy_gb_per_s\": %.1f", 2e-9 * static_cast<double>(bytes) / copy);
  const int size = 4096;
  stream.fill(from.data(), 0, bytes);
  Gemm call;
  call.rows = call.columns = call.depth = size;
  call.x = static_cast<const std::uint16_t*>(from.data());
  call.w = call.x + std::size_t{size} * size;
  call.y = static_cast<float*>(to.data());
  const double flop = 2.0 * size * size * size;
  const double mma = seconds(stream, [&] { gemm_mma(stream, call); });
  std::printf(", \"gemm_mma_tflop_per_s\": %.1f", flop / mma * 1e-12);
  if (facts.major == 9) {
    const double wgmma = seconds(stream, [&] { gemm_wgmma(stream, call); });
    std::printf(", \"gemm_wgmma_tflop_per_s\": %.1f", flop / wgmma * 1e-12);
  }
  std::printf("}");
}

int run(const std::string& known) {
  const DeviceFacts facts = device_facts();
  if (facts.name.empty()) {
    std::printf("{\"device\": null, \"reason\": \"%s\"}\n", facts.reason.c_str());
    return 77;
  }
  std::printf("{\"device\": \"%s\", \"executed_on\": \"%s\", \"compute\": \"%d.%d\",\n",
              facts.name.c_str(), facts.is_host ? "host twin" : "device", facts.major, facts.minor);
  std::printf(" \"multiprocessors\": %d, \"facts\": \"%s\",\n \"checks\": [", facts.multiprocessors,
              known.c_str());
  Stream stream;
  int failed = 0;
  const char* comma = "\n";
  for (const Check& check : checks()) {
    if (check.hopper && facts.major != 9) {
      std::printf("%s  {\"name\": \"%s\", \"skipped\": \"not sm_90\"}", comma, check.name);
    } else {
      double worst = INFINITY;
      std::string error;
      try {
        worst = check.run(stream);
      } catch (const std::exception& thrown) {
        error = thrown.what();
      }
      failed += worst <= 1 ? 0 : 1;
      std::printf(
          "%s  {\"name\": \"%s\", \"passed\": %s, \"error_in_bounds\": %s, \"message\": \"%s\"}",
          comma, check.name, worst <= 1 ? "true" : "false",
          std::isfinite(worst) ? std::to_string(worst).c_str() : "null", error.c_str());
    }
    comma = ",\n";
  }
  std::printf("]");
  if (!facts.is_host && failed == 0) {
    print_rates(stream, facts);
  }
  std::printf("}\n");
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace assay::cuda

int main(int count, char** arguments) {
  return assay::cuda::run(count > 1 ? arguments[1] : "");
}
