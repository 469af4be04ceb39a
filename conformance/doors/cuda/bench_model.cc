// SPDX-License-Identifier: Apache-2.0
// Prefill and decoding of a whole model on a device, in tokens a second and as a share of the
// limit.
//
//   cuda_model_bench [--synth SIZE] CHECKPOINT [PREFILL] [CONTEXT] [TOKENS]
//
//   decoding: bytes of the weights that a token uses and of its keys, by the copy rate
//   prefill:  2 flop for each weight that a token uses and 4 d for each head, query and key
//
// --synth e4b: CHECKPOINT is made first, of true size, from the closed formula. The numbers default
// to 4096 1024 64. One JSON object, 77 without a device; on the host twin nothing is measured.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "conformance/doors/cuda/cuda_adapter.h"
#include "optimized/engine/cuda/engine.h"
#include "reference/family/base/json.h"
#include "reference/family/synth/synth.h"

namespace assay::conformance {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string synth;
  std::filesystem::path checkpoint;
  std::size_t prefill = 4096, context = 1024, tokens = 64;
};

// Of the weights that one token uses: all but encoders, the tables that are looked up, and experts
// that it does not choose.
struct Used {
  double bytes = 0, weights = 0;
};

Used used_of(const Checkpoint& checkpoint) {
  const TextConfig& config = checkpoint.config().text;
  Used used;
  for (const TensorInfo& tensor : checkpoint.tensors()) {
    const auto has = [&](const char* text) { return tensor.name.find(text) != std::string::npos; };
    if (has("vision") || has("audio") || has("embed_tokens_per_layer")) {
      continue;
    }
    double count = 1;
    for (const std::size_t axis : tensor.shape) {
      count *= static_cast<double>(axis);
    }
    if (config.moe && has(".experts.")) {
      count *= static_cast<double>(config.moe->top_k_experts) /
               static_cast<double>(config.moe->num_experts);
    }
    const DTypeInfo& type = tensor.dtype.info();
    used.weights += count;
    used.bytes +=
        count * static_cast<double>(type.block_bytes) / static_cast<double>(type.block_elements);
  }
  return used;
}

std::vector<std::int32_t> some_ids(std::size_t count, std::size_t vocabulary) {
  std::vector<std::int32_t> ids(count);
  std::uint32_t state = 1;
  for (std::int32_t& id : ids) {
    state = state * 1664525U + 1013904223U;
    id = static_cast<std::int32_t>((state >> 8) % std::min<std::size_t>(vocabulary, 200000));
  }
  return ids;
}

class ModelBench {
 public:
  ModelBench(const Checkpoint& checkpoint, const Options& options)
      : options_(options), config_(checkpoint.config().text), model_(checkpoint, stream_) {}

  // Seconds of a prompt in one call.
  double prefill(std::size_t tokens, bool skip) {
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
      cuda::Engine engine(model_, how(skip), stream_);
      cuda::KvCache cache = engine.new_cache(tokens, tokens);
      const auto ids = some_ids(tokens, config_.vocab_size);
      stream_.synchronize();
      const auto start = Clock::now();
      engine.forward(cpu::text_tokens(ids, 0), cache, 1);
      stream_.synchronize();
      best = std::min(best, since(start));
    }
    return best;
  }

  // Seconds of a step, after a context.
  double step() {
    cuda::Engine engine(model_, how(true), stream_);
    cuda::KvCache cache = engine.new_cache(options_.context + options_.tokens + 2, 512);
    const auto ids = some_ids(options_.context + options_.tokens + 2, config_.vocab_size);
    const auto feed = [&](std::size_t first, std::size_t count, std::size_t rows) {
      const auto at = ids.begin() + static_cast<std::ptrdiff_t>(first);
      engine.forward(cpu::text_tokens({at, at + static_cast<std::ptrdiff_t>(count)}, first), cache,
                     rows);
    };
    for (std::size_t first = 0; first < options_.context; first += 512) {
      feed(first, std::min<std::size_t>(512, options_.context - first), 0);
    }
    feed(options_.context, 1, 1);
    stream_.synchronize();
    const auto start = Clock::now();
    for (std::size_t i = 0; i < options_.tokens; ++i) {
      feed(options_.context + 1 + i, 1, 1);
    }
    stream_.synchronize();
    return since(start) / static_cast<double>(options_.tokens);
  }

 private:
  static double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  static cuda::Options how(bool skip) {
    cuda::Options options;
    options.round_to_bf16 = true;
    options.cache = cuda::KeyType::kBf16;
    options.skip_shared = skip;
    return options;
  }

  const Options& options_;
  const TextConfig& config_;
  cuda::Stream stream_;
  cuda::Model model_;
};

int bench(const Options& options) {
  const std::string where = cuda_executed_on();
  if (where.empty()) {
    std::cout << "{\"executed_on\": null}\n";
    return 77;
  }
  if (!options.synth.empty()) {
    SynthOptions made;
    made.form = SynthForm::kTextOnly;
    made.store_shared_kv = false;
    write_synthetic_checkpoint(options.synth, options.checkpoint, made);
  }
  const Checkpoint checkpoint = Checkpoint::open(options.checkpoint);
  const Used used = used_of(checkpoint);
  ModelBench model(checkpoint, options);
  const double whole = model.prefill(options.prefill, false);
  const double skipped = model.prefill(options.prefill, true);
  const double step = model.step();
  Json::Object result{{"executed_on", where},
                      {"checkpoint", options.checkpoint.filename().string()},
                      {"weights_used", used.weights},
                      {"bytes_used", used.bytes}};
  if (where != "host twin") {
    const auto tokens = static_cast<double>(options.prefill);
    result.emplace_back("prefill_tokens_per_s", tokens / skipped);
    result.emplace_back("prefill_tokens_per_s_without_skip", tokens / whole);
    result.emplace_back("prefill_tflop_per_s_without_skip", 2e-12 * used.weights * tokens / whole);
    result.emplace_back("decode_tokens_per_s", 1 / step);
    result.emplace_back("decode_gb_per_s", 1e-9 * used.bytes / step);
  }
  std::cout << json_text(Json(result)) << '\n';
  return 0;
}

Options parse(int count, char** arguments) {
  Options options;
  std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() > 1 && words[0] == "--synth") {
    options.synth = words[1];
    words.erase(words.begin(), words.begin() + 2);
  }
  if (words.empty() || words.size() > 4) {
    throw Error("got " + std::to_string(words.size()) + " words, expected CHECKPOINT and numbers");
  }
  options.checkpoint = words[0];
  std::size_t* const numbers[] = {&options.prefill, &options.context, &options.tokens};
  for (std::size_t i = 1; i < words.size(); ++i) {
    *numbers[i - 1] = std::stoul(words[i]);
  }
  return options;
}

}  // namespace
}  // namespace assay::conformance

int main(int count, char** arguments) {
  try {
    return assay::conformance::bench(assay::conformance::parse(count, arguments));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cuda_model_bench: %s\n", error.what());
    return 2;
  }
}
