// SPDX-License-Identifier: Apache-2.0
#include "conformance/program/bench_report.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "reference/family/base/json.h"

namespace assay::program {
namespace {

constexpr double kGiga = 1e9;

double median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

bool decodes(const BenchTest& test) {
  return test.name.starts_with("tg");
}

// Decoding is held against the memory's rate, which must not change meanwhile.
std::size_t dropped(const BenchTest& test) {
  const auto unsteady = [](const BenchSample& s) { return !s.steady; };
  return decodes(test) ? static_cast<std::size_t>(std::ranges::count_if(test.samples, unsteady))
                       : 0;
}

// Of the samples that count; of all where none does.
template <class Of>
double median_of(const BenchTest& test, const Of& of) {
  const std::size_t out = dropped(test);
  std::vector<double> values;
  for (const BenchSample& sample : test.samples) {
    if (out == 0 || out == test.samples.size() || sample.steady) {
      values.push_back(of(sample));
    }
  }
  return median(std::move(values));
}

// What limits a test, how much of it there is, and how much of it was used.
struct Share {
  const char* of = "";
  double rate = 0;     // used, 1e9 a second
  double ceiling = 0;  // 1e9 a second
  double share = 0;
};

Share share_of(const BenchReport& report, const BenchTest& test) {
  Share share;
  if (decodes(test)) {
    share.of = "read_gb_s";
    const auto read = [](const BenchSample& s) { return (s.read_before + s.read_after) / 2; };
    share.rate = median_of(test, [](const BenchSample& s) { return s.work.bytes / s.seconds; });
    share.ceiling = median_of(test, read);
    share.share =
        median_of(test, [&](const BenchSample& s) { return s.work.bytes / s.seconds / read(s); });
  } else {
    const conformance::Work& work = test.samples.front().work;
    const bool int8 = work.int8_dot > work.fma && work.int8_dot > work.bf16_dot;
    const bool bf16 = !int8 && work.bf16_dot > work.fma;
    share.of = int8 ? "int8_gop_s" : bf16 ? "bf16_gflop_s" : "fma_gflop_s";
    share.ceiling = int8   ? report.machine.int8_dot
                    : bf16 ? report.machine.bf16_dot
                           : report.machine.fma;
    share.rate = median_of(test, [](const BenchSample& s) {
      return (s.work.int8_dot + s.work.bf16_dot + s.work.fma) / s.seconds;
    });
    share.share = share.ceiling > 0 ? share.rate / share.ceiling : 0;
  }
  share.rate /= kGiga;
  share.ceiling /= kGiga;
  return share;
}

double read_of(const BenchReport& report) {
  std::vector<double> rates;
  for (const BenchTest& test : report.tests) {
    for (const BenchSample& sample : test.samples) {
      rates.push_back(sample.read_before / kGiga);
      rates.push_back(sample.read_after / kGiga);
    }
  }
  return median(std::move(rates));
}

Json result_json(const BenchReport& report, const BenchTest& test) {
  Json::Array rates;
  Json::Array reads;
  for (const BenchSample& sample : test.samples) {
    rates.push_back(sample.tokens_per_s);
    reads.push_back(Json::Array{sample.read_before / kGiga, sample.read_after / kGiga});
  }
  Json::Object result{
      {"test", test.name},
      {"tokens_per_s", rates},
      {"median", median_of(test, [](const BenchSample& s) { return s.tokens_per_s; })},
  };
  if (report.metered) {
    const Share share = share_of(report, test);
    result.emplace_back(decodes(test) ? "gb_s" : "gflop_s", share.rate);
    result.emplace_back("share", share.share);
    result.emplace_back("of", share.of);
    result.emplace_back("read_gb_s", reads);
    result.emplace_back("dropped", dropped(test));
  }
  return result;
}

}  // namespace

void print_json(const BenchReport& report) {
  Json::Array results;
  for (const BenchTest& test : report.tests) {
    results.push_back(result_json(report, test));
  }
  const conformance::MachineRates& m = report.machine;
  const Json::Object probes{{"read_gb_s", read_of(report)},
                            {"fma_gflop_s", m.fma / kGiga},
                            {"int8_gop_s", m.int8_dot / kGiga},
                            {"bf16_gflop_s", m.bf16_dot / kGiga}};
  Json::Object all{{"format_version", 1},
                   {"impl", report.impl},
                   {"checkpoint", report.checkpoint},
                   {"weights", report.facts.weights},
                   {"precision", report.precision},
                   {"threads", m.threads},
                   {"cpu_features", m.features},
                   {"kv", report.cache},
                   {"kv_skip", report.skip_shared},
                   {"weight_bytes", report.facts.weight_bytes},
                   {"huge_share", report.facts.huge_share},
                   {"cache_bytes", report.facts.cache_bytes},
                   {"probes", probes},
                   {"results", results}};
  if (!report.executed_on.empty()) {
    all.emplace_back("executed_on", report.executed_on);
  }
  std::cout << json_text(all, {.indent = 2}) << "\n";
}

void print_table(const BenchReport& report) {
  const conformance::MachineRates& m = report.machine;
  std::printf("%s  %s %s\n", report.checkpoint.c_str(), report.impl.c_str(),
              report.precision.c_str());
  if (report.metered) {
    std::printf("  weights  %s, %.2f GB, %.0f %% in huge pages; cache %s, %.2f GB\n",
                report.facts.weights.c_str(), report.facts.weight_bytes / kGiga,
                100 * report.facts.huge_share, report.cache.c_str(),
                report.facts.cache_bytes / kGiga);
    std::printf("  machine  %d thread%s, %s\n", m.threads, m.threads == 1 ? "" : "s",
                m.features.c_str());
    std::printf("           read %.1f GB/s, f32 %.0f GFLOP/s, bf16 dot %.0f, int8 dot %.0f\n",
                read_of(report), m.fma / kGiga, m.bf16_dot / kGiga, m.int8_dot / kGiga);
  }
  if (!report.executed_on.empty()) {
    std::printf("  executed on: %s\n", report.executed_on.c_str());
  }
  for (const BenchTest& test : report.tests) {
    std::printf("  %-10s %9.2f tokens/s", test.name.c_str(),
                median_of(test, [](const BenchSample& s) { return s.tokens_per_s; }));
    if (report.metered) {
      const Share share = share_of(report, test);
      std::printf("   %7.1f G/s, %3.0f %% of %s", share.rate, 100 * share.share, share.of);
      if (dropped(test) > 0) {
        const bool all = dropped(test) == test.samples.size();
        std::printf("   (%s: the memory's rate changed)",
                    all ? "no sample is steady"
                        : (std::to_string(dropped(test)) + " samples dropped").c_str());
      }
    }
    std::printf("\n");
  }
}

}  // namespace assay::program
