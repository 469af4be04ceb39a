// SPDX-License-Identifier: Apache-2.0
// Rates of the CUDA kernels at the shapes of the released models, each beside its limit: what the
// device copies, or multiplies, in the same run. A program without libraries, for scripts/device.
//
//   cuda_bench [--page] [--seconds N] [--small]
//
// One JSON object; with --page the same as a table. Every row says how its limit is computed. Rows
// are *not measured* on the host twin, whose time says nothing about a device, and on a device once
// N seconds (240) are over. --small: every row runs once in a shape that the host twin can run,
// too, and none is measured. Rows of whole models are measured by cuda_model_bench.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "benchmarks/optimized/cuda_work.h"

namespace assay::cuda {
namespace {

using Clock = std::chrono::steady_clock;

struct Row {
  std::string kernel, shape;
  std::string limit;  // the formula, in words
  std::string bar;
  bool of_copy;                        // the limit is the copy rate; false: flop a second
  double bar_rate;                     // flop a second that the bar asks for; 0: a share
  double bar_share;                    // of the copy rate, or of the product's
  std::function<Result(Stream&)> run;  // empty: measured elsewhere
};

constexpr double kTera = 1e12;

std::vector<Row> attention_rows() {
  const std::string pairs = "4 d flop for each head and pair of query and key that it sees";
  const std::string cache = "copy rate; 2 x 2 bytes x keys x KV heads x d";
  const auto row = [](const AttentionShape& s) {
    return [s](Stream& stream) { return attention_row(stream, s); };
  };
  return {{"attention d512, causal", "32 Q / 4 KV, 8K", pairs, "> 395 TFLOP/s; stretch 500", false,
           395 * kTera, 0, row({8192, 8192, 32, 4, 512, 0})},
          {"attention d512, causal", "32 Q / 4 KV, 64K", pairs, "> 395 TFLOP/s; stretch 500", false,
           395 * kTera, 0, row({65536, 65536, 32, 4, 512, 0})},
          {"attention d256, window 1024", "32 Q / 16 KV, 32K", pairs, "> 477 TFLOP/s", false,
           477 * kTera, 0, row({32768, 32768, 32, 16, 256, 1024})},
          {"decode attention d512", "32 Q / 4 KV, 32K", cache, ">= 85 % of copy", true, 0, 0.85,
           row({1, 32768, 32, 4, 512, 0})},
          {"decode attention d512", "32 Q / 4 KV, 128K", cache, ">= 85 % of copy", true, 0, 0.85,
           row({1, 131072, 32, 4, 512, 0})}};
}

std::vector<Row> gemv_rows() {
  const std::string bytes = "copy rate; bytes of the weight";
  const auto row = [](WeightFormat format, std::size_t rows, std::size_t columns) {
    return [=](Stream& stream) { return gemv_row(stream, format, rows, columns); };
  };
  using F = WeightFormat;
  return {{"GEMV bf16", "262144 x 2560", bytes, ">= 95 % of copy", true, 0, 0.95,
           row(F::kBf16, 262144, 2560)},
          {"GEMV bf16", "10240 x 2560", bytes, ">= 90 % of copy", true, 0, 0.90,
           row(F::kBf16, 10240, 2560)},
          {"GEMV bf16", "2560 x 10240", bytes, ">= 90 % of copy", true, 0, 0.90,
           row(F::kBf16, 2560, 10240)},
          {"GEMV q8_0", "262144 x 2560", bytes, ">= 85 % of copy", true, 0, 0.85,
           row(F::kQ8, 262144, 2560)},
          {"GEMV q8_0", "10240 x 2560", bytes, ">= 85 % of copy", true, 0, 0.85,
           row(F::kQ8, 10240, 2560)},
          {"GEMV q4_0", "262144 x 2560", bytes, ">= 80 % of copy", true, 0, 0.80,
           row(F::kQ4, 262144, 2560)},
          {"GEMV q4_0", "10240 x 2560", bytes, ">= 80 % of copy", true, 0, 0.80,
           row(F::kQ4, 10240, 2560)}};
}

std::vector<Row> other_rows() {
  const std::string model = "copy rate; bytes of the weights that a token uses, and of its keys";
  const std::string flop = "2 flop for each weight that a token uses, and those of attention";
  return {
      {"MoE, 4096 tokens", "128 x 704, top-8, width 2816", "2 x 8 x 3 x 704 x 2816 flop a token",
       ">= 60 % of dense GEMM (published 42 %)", false, 0, 0.60,
       [](Stream& stream) { return moe_prefill_row(stream, 4096); }},
      {"MoE, 1 token", "128 x 704, top-8, width 2816", "copy rate; 2 bytes x 8 x 3 x 704 x 2816",
       ">= 60 % of copy (published 12 %)", true, 0, 0.60, moe_decode_row},
      {"RMSNorm", "16384 x 5376 f32", "copy rate; a row read and written", ">= 90 % of copy", true,
       0, 0.90, [](Stream& stream) { return norm_row(stream, false); }},
      {"norm + residual + next norm", "16384 x 5376 f32",
       "copy rate; two rows read and two written", ">= 90 % of copy", true, 0, 0.90,
       [](Stream& stream) { return norm_row(stream, true); }},
      {"decode E4B bf16",
       "batch 1, context 1k",
       model,
       ">= 70 % of copy (published 50 %)",
       true,
       0,
       0.70,
       {}},
      {"decode 26B-A4B bf16",
       "batch 1, context 1k",
       model,
       ">= 70 % of copy (published 37 %)",
       true,
       0,
       0.70,
       {}},
      {"prefill E4B bf16",
       "4096 tokens, with and without the KV-shared skip",
       flop,
       ">= 50 % of dense GEMM",
       false,
       0,
       0.50,
       {}},
      {"prefill 26B-A4B bf16", "4096 tokens", flop, ">= 35 % of dense GEMM", false, 0, 0.35, {}}};
}

std::vector<Row> all_rows() {
  std::vector<Row> rows = attention_rows();
  for (const auto& more : {gemv_rows(), other_rows()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

struct Measured {
  double rate = 0;   // 0: not measured
  double share = 0;  // of the limit
  bool passes = false;
};

Measured judge(const Row& row, const Result& result, const Rates& rates) {
  Measured measured;
  measured.rate = result.work / result.seconds;
  measured.share = measured.rate / (row.of_copy ? rates.copy : rates.gemm);
  measured.passes =
      row.bar_rate > 0 ? measured.rate > row.bar_rate : measured.share >= row.bar_share;
  return measured;
}

std::string rate_text(const Row& row, double rate) {
  char text[64];
  std::snprintf(text, sizeof text, row.of_copy ? "%.0f GB/s" : "%.0f TFLOP/s",
                rate / (row.of_copy ? 1e9 : kTera));
  return text;
}

void print_page(const std::vector<Row>& rows, const std::vector<Measured>& measured,
                const Rates& rates) {
  std::printf("| kernel | shape | limit | bar | measured | of the limit |\n");
  std::printf("| --- | --- | --- | --- | --: | --: |\n");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const bool there = measured[i].rate > 0;
    char share[32] = "";
    std::snprintf(share, sizeof share, "%.0f %%", 100 * measured[i].share);
    std::printf("| %s | %s | %s | %s | %s | %s |\n", row.kernel.c_str(), row.shape.c_str(),
                row.limit.c_str(), row.bar.c_str(),
                there ? rate_text(row, measured[i].rate).c_str() : "*not measured*",
                there ? share : "");
  }
  if (rates.copy > 0) {
    std::printf("\nCopy %.0f GB/s, product in bf16 %.0f TFLOP/s.\n", rates.copy / 1e9,
                rates.gemm / kTera);
  }
}

void print_json(const std::vector<Row>& rows, const std::vector<Measured>& measured,
                const Rates& rates, const DeviceFacts& facts) {
  std::printf("{\"device\": \"%s\", \"executed_on\": \"%s\"", facts.name.c_str(),
              facts.is_host ? "host twin" : "device");
  if (rates.copy > 0) {
    std::printf(", \"copy_gb_per_s\": %.1f, \"gemm_tflop_per_s\": %.1f", rates.copy / 1e9,
                rates.gemm / kTera);
  }
  std::printf(",\n \"rows\": [");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    std::printf(
        "%s\n  {\"kernel\": \"%s\", \"shape\": \"%s\", \"limit\": \"%s\", \"bar\": \"%s\", ",
        i == 0 ? "" : ",", row.kernel.c_str(), row.shape.c_str(), row.limit.c_str(),
        row.bar.c_str());
    if (measured[i].rate > 0) {
      std::printf("\"measured\": \"%s\", \"share\": %.3f, \"passes\": %s}",
                  rate_text(row, measured[i].rate).c_str(), measured[i].share,
                  measured[i].passes ? "true" : "false");
    } else {
      std::printf("\"measured\": null}");
    }
  }
  std::printf("]}\n");
}

int run(bool page, double most_seconds) {
  const DeviceFacts facts = device_facts();
  const std::vector<Row> rows = all_rows();
  std::vector<Measured> measured(rows.size());
  Rates rates;
  if (small_shapes && !facts.name.empty()) {
    Stream stream;
    for (const Row& row : rows) {
      if (row.run) {
        row.run(stream);
      }
    }
  } else if (!facts.name.empty() && !facts.is_host) {
    const auto start = Clock::now();
    Stream stream;
    rates = measure_rates(stream);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::chrono::duration<double> spent = Clock::now() - start;
      if (rows[i].run && spent.count() < most_seconds) {
        measured[i] = judge(rows[i], rows[i].run(stream), rates);
      }
    }
  }
  if (page) {
    print_page(rows, measured, rates);
  } else {
    print_json(rows, measured, rates, facts);
  }
  return facts.name.empty() ? 77 : 0;
}

}  // namespace
}  // namespace assay::cuda

int main(int count, char** arguments) {
  bool page = false;
  double seconds = 240;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--page") == 0) {
      page = true;
    } else if (std::strcmp(arguments[i], "--small") == 0) {
      assay::cuda::small_shapes = true;
    } else if (std::strcmp(arguments[i], "--seconds") == 0 && i + 1 < count) {
      seconds = std::atof(arguments[++i]);
    } else {
      std::fprintf(stderr, "cuda_bench: got '%s', expected --page, --small or --seconds N\n",
                   arguments[i]);
      return 2;
    }
  }
  try {
    return assay::cuda::run(page, seconds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cuda_bench: %s\n", error.what());
    return 1;
  }
}
