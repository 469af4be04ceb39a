// SPDX-License-Identifier: Apache-2.0
// assay bench: tokens a second of prefill and decoding, and their share of what the machine can do.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>

#include "conformance/compare/harness.h"
#include "conformance/doors/registry.h"
#include "conformance/program/bench_report.h"
#include "conformance/program/implementations.h"
#include "conformance/program/options.h"
#include "reference/family/base/error.h"
#include "reference/family/checkpoint/checkpoint.h"

namespace assay::program {
namespace {

using conformance::Meter;
using conformance::require_ok;
using conformance::Session;
using conformance::Work;

constexpr const char* kPlace = "bench";  // of a message
constexpr double kSteadyProbe = 0.1;     // how far the probes beside a sample may differ
constexpr std::uint32_t kFirstId = 17;
constexpr std::size_t kOrdinaryIds = 200000;  // control tokens have higher ids

// The class in which most bytes of the weights are computed as fast as they can be.
std::string fastest_class(const Checkpoint& checkpoint) {
  std::map<std::string, double> bytes;
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    const auto size = tensor_size(tensor.dtype, tensor.shape, tensor.name);
    const bool blocks = tensor.dtype.info().block_elements > 1;
    bytes[blocks                         ? "int8"
          : tensor.dtype == DType::kBf16 ? "bf16"
                                         : "f32"] += static_cast<double>(size.bytes);
  }
  return std::ranges::max_element(bytes, {}, [](const auto& each) { return each.second; })->first;
}

// Ids without a meaning, far apart in the table, the same in every run; no placeholder of media.
std::vector<std::int32_t> some_ids(std::size_t count, const TextConfig& config) {
  const std::size_t vocabulary = std::min(config.vocab_size, kOrdinaryIds);
  std::vector<std::int32_t> ids(count);
  std::uint32_t state = kFirstId;
  for (std::int32_t& id : ids) {
    state = state * 1664525U + 1013904223U;
    id = static_cast<std::int32_t>((state >> 8) % vocabulary);
    const SpecialTokens& special = config.special;
    id = id == special.image || id == special.video || id == special.audio ? special.pad : id;
  }
  return ids;
}

class Bench {
 public:
  Bench(const BenchOptions& options, const Checkpoint& checkpoint, Session& session)
      : options_(options), config_(checkpoint.config().text), session_(session) {}

  void run(BenchReport& report) {
    if (Meter* meter = session_.meter()) {
      report.machine = meter->machine();
      report.metered = true;
    }
    BenchTest prefill{"pp" + std::to_string(options_.prompt)};
    BenchTest decode{"tg" + std::to_string(options_.generate) + "@" +
                     std::to_string(options_.depth)};
    begin(std::min<std::size_t>(options_.prompt, 32));  // touches memory, wakes the threads
    for (std::size_t r = 0; r < options_.repetitions; ++r) {
      if (options_.prompt > 0) {
        sample(prefill, static_cast<double>(options_.prompt), [&] { begin(options_.prompt); });
      }
      if (options_.generate > 0) {
        begin(options_.depth);
        sample(decode, static_cast<double>(options_.generate), [&] { generate(); });
      }
    }
    for (BenchTest* test : {&prefill, &decode}) {
      if (!test->samples.empty()) {
        report.tests.push_back(std::move(*test));
      }
    }
    if (Meter* meter = session_.meter()) {
      report.facts = meter->facts();
    }
  }

 private:
  void begin(std::size_t count) {
    conformance::PromptRequest prompt;
    prompt.ids = some_ids(std::max<std::size_t>(1, count), config_);
    std::vector<std::int32_t> expanded;
    conformance::Logits last;
    require_ok(session_.begin(prompt, expanded, last), kPlace);
  }

  void generate() {
    const auto ids = some_ids(options_.generate, config_);
    conformance::Logits rows;
    for (const std::int32_t id : ids) {
      require_ok(session_.extend({id}, rows), kPlace);
    }
  }

  template <class Run>
  void sample(BenchTest& test, double tokens, const Run& run) {
    Meter* const meter = session_.meter();
    BenchSample one;
    if (meter != nullptr) {
      one.read_before = meter->read_rate();
      meter->take_work();
    }
    const auto start = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    one.seconds = time.count();
    one.tokens_per_s = tokens / one.seconds;
    if (meter != nullptr) {
      one.work = meter->take_work();
      one.read_after = meter->read_rate();
      const double apart = std::abs(one.read_before - one.read_after);
      one.steady = apart <= kSteadyProbe * std::max(one.read_before, one.read_after);
    }
    test.samples.push_back(one);
  }

  const BenchOptions& options_;
  const TextConfig& config_;
  Session& session_;
};

}  // namespace

int bench(const BenchOptions& options) {
  const auto& entry = entry_named(options.impl);
  const Checkpoint checkpoint = Checkpoint::open(options.checkpoint);
  const std::string wanted =
      options.precision.empty() ? fastest_class(checkpoint) : options.precision;
  const bool has = std::ranges::find(entry.precisions, wanted) != entry.precisions.end();
  const std::string precision =
      precision_of(entry, options.precision.empty() && !has ? entry.precisions.front() : wanted);
  if (!entry.make_session) {
    throw Error("--impl: got '" + options.impl + "', expected one that answers prompts");
  }
  conformance::SessionRequest request;
  request.checkpoint = options.checkpoint;
  request.cache = options.cache;
  request.skip_shared = !options.no_skip;
  const auto session = entry.make_session(precision, request);
  BenchReport report;
  report.impl = options.impl;
  report.checkpoint = options.checkpoint;
  report.precision = precision;
  report.cache = options.cache;
  report.skip_shared = !options.no_skip;
  report.executed_on = session->executed_on();
  Bench(options, checkpoint, *session).run(report);
  if (options.json) {
    print_json(report);
  } else {
    print_table(report);
  }
  return 0;
}

}  // namespace assay::program
