// SPDX-License-Identifier: Apache-2.0
// What must hold of the engine whatever the truth is: threads, chunks, what is skipped, what is
// taken back, limits. Whether its numbers are right the suite tells (assay verify --impl cpu).
#include "optimized/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "optimized/kernels/attention_tile.h"
#include "optimized/testing/every_target.h"
#include "optimized/testing/test_engine.h"
#include "reference/family/base/error.h"
#include "reference/family/synth/synth.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay::cpu {
namespace {

class EngineOnTargets : public EveryTarget {};
ASSAY_ON_EVERY_TARGET(EngineOnTargets);

constexpr Arithmetic kClasses[] = {Arithmetic::kF32, Arithmetic::kBf16, Arithmetic::kInt8};
constexpr const char* kCheckpoints[] = {"e2b-tiny",     "26b-tiny",      "31b-tiny",
                                        "12b-tiny",     "e2b-q8_0-tiny", "26b-q4_0-tiny",
                                        "31b-kmix-tiny"};

constexpr std::size_t kHugePage = std::size_t{2} << 20;

Options options_of(Arithmetic arithmetic) {
  Options options;
  options.arithmetic = arithmetic;
  return options;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Engine, BitsDoNotDependOnTheNumberOfThreads) {
  for (const auto& [name, arithmetic] : {std::pair{"e2b-tiny", Arithmetic::kF32},
                                         {"26b-tiny", Arithmetic::kBf16},
                                         {"31b-kmix-tiny", Arithmetic::kF32},
                                         {"26b-q4_0-tiny", Arithmetic::kInt8}}) {
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 5}) {
      TestEngine t(golden_checkpoint(name), options_of(arithmetic), threads);
      KvCache cache = t.engine.new_cache(50, 41);
      auto all = t.logits(some_ids(41, 1), 41, 41, cache);
      const auto more = t.logits(some_ids(3, 2), 1, 1, cache);
      all.insert(all.end(), more.begin(), more.end());
      first = first.empty() ? all : first;
      EXPECT_TRUE(same_bits(all, first)) << name << ", " << threads << " threads";
    }
  }
}

// Two rows or more of a call are computed alike, however many they are; a single one (decoding) in
// another order, and so is the only row of an expert. Up to four rows meet weights of q8_0 and q4_0
// as digits, more as floats. So chunks of two or more (of five where weights are quantised) change
// no bit, up to 512 keys, of models without experts.
bool keeps_bits(const std::string& name, Arithmetic arithmetic, std::size_t rows) {
  const bool quantised =
      name.find("-q") != std::string::npos || name.find("mix") != std::string::npos;
  return rows > 4 || (rows > 1 && (!quantised || arithmetic == Arithmetic::kInt8));
}

TEST_P(EngineOnTargets, ChunksOfSeveralTokensChangeNoBit) {
  const auto ids = some_ids(84, 2);
  for (const char* name : kCheckpoints) {
    for (const Arithmetic arithmetic : kClasses) {
      TestEngine t(golden_checkpoint(name), options_of(arithmetic));
      const double limit = arithmetic == Arithmetic::kF32 ? 1e-5 : 0.1;
      const auto whole = t.logits(ids, ids.size(), 2);
      for (const std::size_t chunk : {2, 3, 7, 28, 42}) {
        const auto logits = t.logits(ids, chunk, 2);
        EXPECT_TRUE(t.model.config().moe || !keeps_bits(name, arithmetic, chunk) ||
                    same_bits(logits, whole))
            << name << " by " << chunk;
        EXPECT_LE(relative_difference(logits, whole), limit) << name << " by " << chunk;
      }
      const auto half = static_cast<std::ptrdiff_t>(whole.size() / 2);
      EXPECT_LE(relative_difference(t.logits(ids, 1, 1), {whole.begin() + half, whole.end()}),
                limit)
          << name;
    }
  }
}

// A prompt's rows that layers which share keys leave out: the same, where more than one is left.
TEST_P(EngineOnTargets, SkippingWhatSharedLayersNeedNotComputeChangesNoBit) {
  for (const char* name : {"e2b-tiny", "e4b-tiny", "e2b-q8_0-tiny", "e2b-q4_0-tiny"}) {
    Options all = options_of(Arithmetic::kF32);
    all.skip_shared = false;
    TestEngine skips(golden_checkpoint(name));
    TestEngine computes(golden_checkpoint(name), all);
    const auto ids = some_ids(50, 3);
    for (const std::size_t rows : {2, 3, 20, 50}) {
      const auto left = skips.logits(ids, 50, rows);
      const auto all_rows = computes.logits(ids, 50, rows);
      EXPECT_TRUE(!keeps_bits(name, Arithmetic::kF32, rows) || same_bits(left, all_rows))
          << name << ", " << rows << " rows";
      EXPECT_LE(relative_difference(left, all_rows), 1e-5) << name << ", " << rows << " rows";
    }
    EXPECT_LE(relative_difference(skips.logits(ids, 50, 1), computes.logits(ids, 50, 1)), 1e-5)
        << name;
    // The caches are the same, too: what comes after is.
    KvCache one = skips.engine.new_cache(60, 50);
    KvCache other = computes.engine.new_cache(60, 50);
    skips.logits(ids, 50, 0, one);
    computes.logits(ids, 50, 0, other);
    EXPECT_TRUE(same_bits(skips.logits(some_ids(4, 5), 4, 4, one),
                          computes.logits(some_ids(4, 5), 4, 4, other)))
        << name;
  }
}

TEST(Engine, WhatIsTakenBackNeverWas) {
  for (const char* name : kCheckpoints) {
    TestEngine t(golden_checkpoint(name));
    for (const std::size_t length : {3, 60, 150}) {
      const auto prompt = some_ids(length, 4);
      KvCache plain = t.engine.new_cache(200, 8);
      KvCache back = t.engine.new_cache(200, 8);
      t.logits(prompt, 8, 0, plain);
      t.logits(prompt, 8, 0, back);
      for (std::size_t count = 1; count <= 8; ++count) {
        t.logits(some_ids(8, count), 8, 8, back);
        back.forget_from(back.length() - count);
        t.logits(some_ids(8 - count, 0), 8, 0, plain);
        back.forget_from(length);
        plain.forget_from(length);
      }
      EXPECT_EQ(back.length(), plain.length());
      EXPECT_TRUE(
          same_bits(t.logits(some_ids(5, 9), 5, 5, back), t.logits(some_ids(5, 9), 5, 5, plain)))
          << name << " after " << length;
    }
  }
}

TEST(Engine, WhatDoesNotFitIsRefusedAndChangesNothing) {
  TestEngine t(golden_checkpoint("e2b-tiny"));
  KvCache cache = t.engine.new_cache(10, 4);
  t.logits(some_ids(7, 1), 4, 0, cache);
  const auto forward = [&](const Ids& ids) {
    return message_of([&] { t.engine.forward(text_tokens(ids, cache.length()), cache, 1); });
  };
  EXPECT_EQ(forward(some_ids(4, 1)),
            "context: got 4 tokens after 7, expected at most 4 in a call and 10 in all");
  EXPECT_EQ(forward(some_ids(5, 1)),
            "context: got 5 tokens after 7, expected at most 4 in a call and 10 in all");
  EXPECT_EQ(forward({3, 64}), "token id at index 1: got 64, expected 0 to 63");
  EXPECT_EQ(forward({-1}), "token id at index 0: got -1, expected 0 to 63");
  EXPECT_THAT(forward({}), testing::StartsWith("forward: got 0 ids"));
  EXPECT_EQ(cache.length(), 7u);
  EXPECT_EQ(forward({3, 4, 5}), "no error");
  EXPECT_EQ(message_of([&] { cache.forget_from(5); }),
            "kv cache: got rollback to token 5, expected at most 4 tokens before 10");
  EXPECT_EQ(message_of([&] { cache.forget_from(11); }),
            "kv cache: got rollback to token 11, expected at most 4 tokens before 10");
  EXPECT_EQ(cache.length(), 10u);
}

// Keys and values are off by about 1 / 512 of themselves in bf16, by 1 / 254 of the largest in
// q8_0. Without experts, of which others would be chosen.
TEST_P(EngineOnTargets, ANarrowCacheMovesTheLogitsLittle) {
  for (const char* name : {"e2b-tiny", "31b-tiny"}) {
    const auto logits_with = [&](CacheType type) {
      Options options;
      options.cache = type;
      TestEngine t(golden_checkpoint(name), options);
      return t.logits(some_ids(40, 6), 40, 40);
    };
    const auto exact = logits_with(CacheType::kF32);
    for (const CacheType type : {CacheType::kBf16, CacheType::kQ8_0}) {
      const double moved = relative_difference(logits_with(type), exact);
      EXPECT_GT(moved, 1e-4) << name;
      EXPECT_LT(moved, 3e-2) << name;
    }
  }
}

// A slot for each token in full layers, the window and a call in sliding ones, nothing in those
// that share.
TEST(Engine, CachesTakeWhatWasPlanned) {
  for (const char* name : {"e2b-tiny", "26b-tiny", "31b-tiny"}) {
    TestEngine t(golden_checkpoint(name));
    const TextConfig& config = t.model.config();
    for (const CacheType type : {CacheType::kF32, CacheType::kBf16, CacheType::kQ8_0}) {
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < config.first_kv_shared_layer(); ++i) {
        const LayerConfig& layer = config.layers[i];
        const std::size_t slots = layer.kind == LayerKind::kFull ? 100032 : 128;
        const std::size_t numbers = layer.head_dim + value_stride(layer.head_dim);
        const std::size_t scales = 2 * ((layer.head_dim + 31) / 32);
        const std::size_t row = type == CacheType::kQ8_0   ? numbers + 2 * scales
                                : type == CacheType::kBf16 ? 2 * numbers
                                                           : 4 * numbers;
        bytes += slots * layer.num_key_value_heads * row;
      }
      const KvCache cache(config, type, 100000, 100);
      EXPECT_EQ(cache.bytes(), round_up(bytes, kHugePage)) << name;
    }
  }
}

// Tokens by the thousand through one sliding layer and one full one, narrow: nothing grows.
void run_long(std::size_t length) {
  const TestDirectory directory;
  SynthOptions widths = tiny_widths();
  widths.num_hidden_layers = 2;
  widths.layer_types = {LayerKind::kSliding, LayerKind::kFull};
  widths.num_attention_heads = 1;
  widths.num_key_value_heads = 1;
  widths.num_global_key_value_heads = 1;
  widths.head_dim = 4;
  widths.global_head_dim = 4;
  widths.sliding_window = 128;
  write_synthetic_checkpoint("31b", directory.path() / "model", widths);
  Options options;
  options.cache = CacheType::kBf16;
  TestEngine t(directory.path() / "model", options, usable_cpus());
  KvCache cache = t.engine.new_cache(length, 512);
  const std::size_t planned = cache.bytes();
  EXPECT_EQ(planned, round_up((length + 704) * (4 + 16) * 2, kHugePage));
  std::size_t scratch = 0;
  for (std::size_t first = 0; first < length; first += 512) {
    const auto result = t.engine.forward(text_tokens(some_ids(512, first), first), cache, 1);
    ASSERT_TRUE(std::isfinite(result.logits.row(0)[5])) << first;
    scratch = first == 0 ? t.engine.scratch_bytes() : scratch;
  }
  EXPECT_EQ(cache.length(), length);
  EXPECT_EQ(cache.bytes(), planned);
  EXPECT_EQ(t.engine.scratch_bytes(), scratch);
}

TEST(Engine, ALongPromptTakesNoMoreMemoryThanItsCache) {
  run_long(16384);
}

// A minute: by --gtest_also_run_disabled_tests.
TEST(Engine, DISABLED_AQuarterOfAMillionTokens) {
  run_long(262144);
}

}  // namespace
}  // namespace assay::cpu
