// SPDX-License-Identifier: Apache-2.0
// What must hold of the CUDA engine whatever the truth is, on the host executor: it agrees with the
// CPU engine, a recorded step with launches one by one, chunks with the whole, and what is skipped
// changes nothing. Whether its numbers are right the suite tells (assay verify --impl cuda).
#include "optimized/engine/cuda/engine.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "optimized/engine/cuda/drafter.h"
#include "optimized/testing/test_engine.h"
#include "reference/family/base/error.h"

namespace assay::cuda {
namespace {

using cpu::golden_checkpoint;
using cpu::Ids;
using cpu::some_ids;
using cpu::text_tokens;

constexpr const char* kCheckpoints[] = {"e2b-tiny", "26b-tiny", "31b-tiny", "e2b-q8_0-tiny",
                                        "26b-q4_0-tiny"};

// Listens and wants nothing: every launch comes one by one.
class Deaf : public cpu::Taps {
 public:
  bool wants(const std::string&) const override { return false; }
  void real(const std::string&, TapAxes, std::span<const std::size_t>, std::span<const std::size_t>,
            const float*) override {}
  void integers(const std::string&, TapAxes, std::span<const std::size_t>,
                std::span<const std::size_t>, const std::int32_t*) override {}
};

struct CudaEngine {
  explicit CudaEngine(const std::string& name, const Options& options = {})
      : checkpoint(Checkpoint::open(golden_checkpoint(name))),
        model(checkpoint, stream),
        engine(model, options, stream) {}

  // The last `rows` logits of the ids, `chunk` at a time.
  std::vector<float> logits(const Ids& ids, std::size_t chunk, std::size_t rows, KvCache& cache,
                            cpu::Taps* taps = nullptr) {
    std::vector<float> last;
    for (std::size_t first = 0; first < ids.size(); first += chunk) {
      const std::size_t end = std::min(ids.size(), first + chunk);
      const auto at = [&](std::size_t i) { return ids.begin() + static_cast<std::ptrdiff_t>(i); };
      const auto result = engine.forward(text_tokens({at(first), at(end)}, cache.length()), cache,
                                         end == ids.size() ? rows : 0, taps);
      if (end == ids.size()) {
        last = engine.values(result.logits);
      }
    }
    return last;
  }

  Stream stream;
  Checkpoint checkpoint;
  Model model;
  Engine engine;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(CudaEngine, AgreesWithTheEngineOfTheCpu) {
  const Ids ids = some_ids(23, 1);
  for (const char* name : kCheckpoints) {
    CudaEngine cuda(name);
    cpu::TestEngine cpu(golden_checkpoint(name));
    for (const std::size_t chunk : {23, 5, 1}) {
      KvCache cache = cuda.engine.new_cache(40, 23);
      const auto logits = cuda.logits(ids, chunk, 1, cache);
      EXPECT_LE(cpu::relative_difference(logits, cpu.logits(ids, 23, 1)), 2e-5)
          << name << " by " << chunk;
    }
  }
}

TEST(CudaEngine, ARecordedStepIsWhatItsLaunchesAre) {
  const Ids ids = some_ids(9, 2);
  for (const char* name : {"e2b-tiny", "26b-tiny", "e2b-q8_0-tiny"}) {
    CudaEngine t(name);
    Deaf deaf;
    KvCache recorded = t.engine.new_cache(700, 9);
    const auto logits = t.logits(ids, 1, 1, recorded);
    EXPECT_GT(t.engine.recorded(), 20U) << name;
    KvCache one_by_one = t.engine.new_cache(700, 9);
    EXPECT_TRUE(same_bits(t.logits(ids, 1, 1, one_by_one, &deaf), logits)) << name;
    // A longer call makes room anew; the next step is recorded again.
    const Ids more = some_ids(30, 3);
    KvCache longer = t.engine.new_cache(900, 30);
    KvCache again = t.engine.new_cache(900, 30);
    t.logits(more, 30, 30, longer);
    t.logits(more, 30, 30, again);
    EXPECT_TRUE(same_bits(t.logits(ids, 1, 1, longer), t.logits(ids, 1, 1, again, &deaf))) << name;
  }
}

TEST(CudaEngine, WhatSharedLayersNeedNotComputeChangesNothing) {
  const Ids ids = some_ids(20, 4);
  Options all;
  all.skip_shared = false;
  for (const char* name : {"e2b-tiny", "e4b-tiny"}) {
    CudaEngine skips(name);
    CudaEngine computes(name, all);
    for (const std::size_t rows : {1, 2, 7, 20}) {
      KvCache cache = skips.engine.new_cache(20, 20);
      KvCache whole = computes.engine.new_cache(20, 20);
      const auto logits = skips.logits(ids, 20, rows, cache);
      EXPECT_LE(cpu::relative_difference(logits, computes.logits(ids, 20, rows, whole)),
                rows == 1 ? 1e-5 : 0)
          << name << " " << rows;
    }
  }
}

TEST(CudaEngine, TokensThatWereTakenBackLeaveNothing) {
  const Ids ids = some_ids(12, 5);
  const Ids wrong = some_ids(3, 6);
  const Ids more = some_ids(4, 7);
  for (const char* name : {"31b-tiny", "e2b-tiny"}) {
    CudaEngine t(name);
    KvCache cache = t.engine.new_cache(30, 12);
    KvCache other = t.engine.new_cache(30, 12);
    t.logits(ids, 12, 1, cache);
    t.logits(ids, 12, 1, other);
    t.logits(wrong, 3, 3, cache);
    cache.forget_from(12);
    EXPECT_TRUE(same_bits(t.logits(more, 4, 4, cache), t.logits(more, 4, 4, other))) << name;
  }
}

TEST(CudaEngine, ACacheOfBf16IsNear) {
  const Ids ids = some_ids(30, 8);
  Options half;
  half.cache = KeyType::kBf16;
  for (const char* name : {"31b-tiny", "e2b-tiny"}) {  // 26B: a token may change its experts
    CudaEngine exact(name);
    CudaEngine rounded(name, half);
    KvCache cache = exact.engine.new_cache(30, 30);
    KvCache small = rounded.engine.new_cache(30, 30);
    EXPECT_LT(small.bytes(), cache.bytes());
    const auto off = cpu::relative_difference(rounded.logits(ids, 30, 30, small),
                                              exact.logits(ids, 30, 30, cache));
    EXPECT_GT(off, 1e-5) << name;
    EXPECT_LT(off, 0.1) << name;
  }
}

// Both round the same rows, which hides most of what sums of tensor cores are off; the last
// product's shows.
TEST(CudaEngine, KernelsOfTensorCoresAgreeWithPlainOnes) {
  const Ids ids = some_ids(30, 9);
  for (const char* name : {"e2b-tiny", "26b-media-tiny", "31b-tiny"}) {
    std::vector<float> plain;
    for (const KernelSet most : {KernelSet::kPlain, KernelSet::kMma, KernelSet::kWgmma}) {
      Options options;
      options.round_to_bf16 = true;
      options.kernels = KernelChoice{most, true};
      CudaEngine t(name, options);
      for (const std::size_t chunk : {30, 10}) {
        if (most == KernelSet::kWgmma && chunk == 10) {
          continue;  // tiles of 128 take their time
        }
        KvCache cache = t.engine.new_cache(30, chunk);
        const auto logits = t.logits(ids, chunk, 10, cache);
        if (plain.empty()) {
          plain = logits;
        }
        EXPECT_LE(cpu::relative_difference(logits, plain), 0.01) << name << " by " << chunk;
        EXPECT_FALSE(most != KernelSet::kPlain && same_bits(logits, plain)) << name;
      }
    }
  }
}

TEST(CudaEngine, ARecordedDraftIsWhatItsLaunchesAre) {
  for (const char* name : {"e2b-tiny", "31b-tiny"}) {
    CudaEngine t(name);
    const Checkpoint checkpoint =
        Checkpoint::open(golden_checkpoint(std::string(name) + "-drafter"));
    const Model model(checkpoint, t.stream);
    Drafter recorded(model, t.model, {}, t.stream);
    Drafter one_by_one(model, t.model, {}, t.stream);
    Deaf deaf;
    KvCache cache = t.engine.new_cache(700, 11);
    for (const std::size_t count : {11, 1, 4, 11}) {
      const auto at = cache.length();
      const auto last = t.engine.forward(text_tokens(some_ids(count, at), at), cache, 1);
      const auto hidden = t.engine.values(last.final_norm);
      const auto position = static_cast<std::int32_t>(cache.length());
      const auto window = cpu::DraftWindow::kLastKeys;
      const auto drafted = recorded.draft(cache, 5, position, hidden, 3, window);
      EXPECT_EQ(drafted, one_by_one.draft(cache, 5, position, hidden, 3, window, &deaf)) << name;
      EXPECT_GT(recorded.recorded(), 20U);
      EXPECT_EQ(one_by_one.recorded(), 0U);
    }
  }
}

TEST(CudaEngine, InF32EveryKernelIsPlain) {
  const Ids ids = some_ids(10, 9);
  std::vector<float> plain;
  for (const KernelSet most : {KernelSet::kPlain, KernelSet::kWgmma}) {
    Options options;
    options.cache = KeyType::kBf16;
    options.kernels = KernelChoice{most, true};
    CudaEngine t("31b-tiny", options);
    KvCache cache = t.engine.new_cache(10, 10);
    const auto logits = t.logits(ids, 10, 1, cache);
    EXPECT_TRUE(plain.empty() || same_bits(logits, plain));
    plain = logits;
  }
}

TEST(KernelChoice, FollowsDeviceAndShape) {
  DeviceFacts device;
  device.major = 9;
  ::unsetenv("ASSAY_CUDA_KERNELS");
  const KernelChoice hopper = kernels_of(device);
  EXPECT_EQ(hopper.product(1), KernelSet::kPlain);
  EXPECT_EQ(hopper.product(64), KernelSet::kMma);
  EXPECT_EQ(hopper.product(65), KernelSet::kWgmma);
  AttentionCall call;
  call.heads = 8;
  call.cache = {KeyType::kBf16, 64, 1, 256, nullptr, nullptr};
  call.queries.rows = 7;
  EXPECT_EQ(hopper.attention(call), KernelSet::kMma);
  call.queries.rows = 8;
  EXPECT_EQ(hopper.attention(call), KernelSet::kWgmma);
  call.cache.head_dim = 128;
  EXPECT_EQ(hopper.attention(call), KernelSet::kMma);
  call.cache.type = KeyType::kF32;
  EXPECT_EQ(hopper.attention(call), KernelSet::kPlain);
  for (const auto& [major, most] : {std::pair{8, KernelSet::kMma}, {10, KernelSet::kMma}}) {
    device.major = major;
    EXPECT_EQ(kernels_of(device).product(500), most);
  }
}

TEST(KernelChoice, FollowsTheEnvironment) {
  DeviceFacts device;
  device.major = 9;
  ::setenv("ASSAY_CUDA_KERNELS", "wgmma", 1);
  EXPECT_EQ(kernels_of(device).product(2), KernelSet::kWgmma);
  ::setenv("ASSAY_CUDA_KERNELS", "plain", 1);
  EXPECT_EQ(kernels_of(device).product(500), KernelSet::kPlain);
  ::setenv("ASSAY_CUDA_KERNELS", "tensor", 1);
  EXPECT_THROW(kernels_of(device), Error);
  device.major = 8;
  ::setenv("ASSAY_CUDA_KERNELS", "wgmma", 1);
  EXPECT_THROW(kernels_of(device), Error);
  ::unsetenv("ASSAY_CUDA_KERNELS");
}

TEST(CudaEngine, RefusesWhatDoesNotFit) {
  CudaEngine t("31b-tiny");
  KvCache cache = t.engine.new_cache(10, 4);
  EXPECT_THROW(t.engine.forward(text_tokens(some_ids(5, 1), 0), cache, 1), Error);
  EXPECT_THROW(t.engine.forward(text_tokens({64}, 0), cache, 1), Error);
  EXPECT_THROW(t.engine.forward(text_tokens({-1}, 0), cache, 1), Error);
  EXPECT_EQ(cache.length(), 0U);
}

}  // namespace
}  // namespace assay::cuda
