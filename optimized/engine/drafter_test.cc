// SPDX-License-Identifier: Apache-2.0
// What must hold of a drafter beside its formulas, which the cases draft-hf and draft-std judge.
#include "optimized/engine/drafter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "optimized/testing/test_engine.h"
#include "reference/family/base/error.h"
#include "reference/family/synth/synth.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_models.h"

namespace assay::cpu {
namespace {

// Keeps the logits of each step.
class LogitTaps : public Taps {
 public:
  bool wants(const std::string& name) const override { return name.ends_with(".logits"); }
  void real(const std::string& /*name*/, TapAxes /*axes*/, std::span<const std::size_t> /*keys*/,
            std::span<const std::size_t> shape, const float* values) override {
    logits.insert(logits.end(), values, values + shape[0] * shape[1]);
  }
  void integers(const std::string& /*name*/, TapAxes /*axes*/,
                std::span<const std::size_t> /*keys*/, std::span<const std::size_t> /*shape*/,
                const std::int32_t* /*values*/) override {}

  std::vector<float> logits;
};

struct TestPair {
  explicit TestPair(const std::filesystem::path& path, const std::filesystem::path& drafter_path,
                    int threads = 1)
      : target(path, {}, threads),
        checkpoint(Checkpoint::open(drafter_path)),
        model(checkpoint, target.threads),
        drafter(model, target.model, {}, target.threads) {}

  // Logits of the drafted steps after the ids.
  std::vector<float> draft(const Ids& ids, KvCache& cache, std::size_t steps, DraftWindow window) {
    const auto result = target.engine.forward(text_tokens(ids, cache.length()), cache, ids.size());
    const auto norm = values_of(result.final_norm.from(ids.size() - 1, 1));
    LogitTaps taps;
    drafter.draft(cache, 7, static_cast<std::int32_t>(cache.length()), norm, steps, window, &taps);
    return taps.logits;
  }

  TestEngine target;
  Checkpoint checkpoint;
  Model model;
  Drafter drafter;
};

constexpr const char* kPairs[] = {"e2b-tiny", "e4b-tiny", "12b-tiny", "26b-tiny", "31b-tiny"};

TEST(Drafter, BitsDoNotDependOnTheNumberOfThreads) {
  for (const char* name : kPairs) {
    std::vector<float> first;
    for (const int threads : {1, 2, 3}) {
      TestPair pair(golden_checkpoint(name), golden_checkpoint(std::string(name) + "-drafter"),
                    threads);
      KvCache cache = pair.target.engine.new_cache(40, 40);
      const auto logits = pair.draft(some_ids(33, 1), cache, 4, DraftWindow::kLastKeys);
      first = first.empty() ? logits : first;
      ASSERT_EQ(logits.size(), 4 * pair.model.config().vocab_size);
      EXPECT_EQ(std::memcmp(logits.data(), first.data(), logits.size() * sizeof(float)), 0) << name;
    }
  }
}

// Rings that wrapped around and tokens that were taken back leave the keys that drafts see.
TEST(Drafter, SeesTheKeysThatARoundLeaves) {
  for (const char* name : kPairs) {
    TestPair pair(golden_checkpoint(name), golden_checkpoint(std::string(name) + "-drafter"));
    for (const DraftWindow window : {DraftWindow::kLastKeys, DraftWindow::kStandard}) {
      const auto prompt = some_ids(150, 2);
      KvCache whole = pair.target.engine.new_cache(200, 200);
      KvCache ring = pair.target.engine.new_cache(200, 5);
      pair.target.logits(prompt, 5, 0, whole);
      pair.target.logits(prompt, 5, 0, ring);
      for (std::size_t round = 0; round < 5; ++round) {
        pair.target.logits(some_ids(5, round), 5, 5, ring);
        ring.forget_from(ring.length() - 5);
      }
      EXPECT_EQ(pair.draft(some_ids(3, 8), ring, 3, window),
                pair.draft(some_ids(3, 8), whole, 3, window))
          << name;
    }
  }
}

TEST(Drafter, MustFitItsTarget) {
  const auto error_of = [](const std::string& target, const std::string& drafter) {
    try {
      const TestPair pair(golden_checkpoint(target), golden_checkpoint(drafter));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error_of("e2b-tiny", "e4b-tiny"), testing::HasSubstr("expected a drafter"));
  EXPECT_THAT(error_of("e2b-tiny", "26b-tiny-drafter"), testing::HasSubstr("the target's"));
  EXPECT_EQ(error_of("e2b-tiny", "e2b-tiny-drafter"), "no error");
}

TEST(Drafter, NeedsAHiddenVectorAndSomeKeys) {
  TestPair pair(golden_checkpoint("e2b-tiny"), golden_checkpoint("e2b-tiny-drafter"));
  const KvCache empty = pair.target.engine.new_cache(8, 8);
  const std::vector<float> hidden(36);
  EXPECT_THROW(pair.drafter.draft(empty, 1, 0, hidden, 1, DraftWindow::kStandard), Error);
  KvCache cache = pair.target.engine.new_cache(8, 8);
  pair.target.logits(some_ids(4, 1), 4, 0, cache);
  EXPECT_THROW(pair.drafter.draft(cache, 1, 4, std::vector<float>(35), 1, DraftWindow::kStandard),
               Error);
  EXPECT_EQ(pair.drafter.draft(cache, 1, 4, hidden, 3, DraftWindow::kStandard).size(), 3u);
}

}  // namespace
}  // namespace assay::cpu
