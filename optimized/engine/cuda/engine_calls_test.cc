// SPDX-License-Identifier: Apache-2.0
// Every call of the engine on a model of each topology, as small as it gets: a prompt, a chunk, a
// recorded step, drafts. Linked with the race detector, or with the sanitizers, which end a launch
// with what they find; and two orders of execution must give the same bits.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "optimized/device/cuda/executor.h"
#include "optimized/engine/cuda/drafter.h"
#include "optimized/testing/test_engine.h"
#include "reference/family/synth/synth.h"
#include "reference/family/testing/test_directory.h"

namespace assay::cuda {
namespace {

using cpu::some_ids;
using cpu::text_tokens;

constexpr std::size_t kVocabulary = 40;

SynthOptions smallest(const std::string& size) {
  SynthOptions options;
  options.form = SynthForm::kTextOnly;
  options.hidden_size = 32;
  options.num_attention_heads = 2;
  options.num_key_value_heads = 1;
  options.head_dim = 8;
  options.global_head_dim = 16;
  options.intermediate_size = 16;
  options.vocab_size = kVocabulary;
  options.sliding_window = 3;
  options.layer_types = {LayerKind::kSliding, LayerKind::kFull};
  if (size.starts_with("e")) {
    options.layer_types = {LayerKind::kSliding, LayerKind::kFull, LayerKind::kSliding,
                           LayerKind::kFull};
    options.num_kv_shared_layers = 2;
    options.hidden_size_per_layer_input = 8;
  } else {
    options.num_global_key_value_heads = 1;
  }
  if (size.starts_with("26b")) {
    options.num_experts = 4;
    options.top_k_experts = 2;
    options.moe_intermediate_size = 16;
  }
  options.num_hidden_layers = options.layer_types.size();
  return options;
}

class EngineCalls : public testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { simt::settings = {}; }
  TestDirectory directory_;
};

void append(std::vector<float>& to, const std::vector<float>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// Logits of every call, one after the other.
std::vector<float> logits_of_calls(const std::filesystem::path& path, const Options& options) {
  Stream stream;
  const Checkpoint checkpoint = Checkpoint::open(path);
  const Model model(checkpoint, stream);
  Engine engine(model, options, stream);
  KvCache cache = engine.new_cache(12, 5);
  std::vector<float> logits;
  append(logits, engine.values(engine.forward(text_tokens(some_ids(5, 1), 0), cache, 2).logits));
  append(logits, engine.values(engine.forward(text_tokens(some_ids(2, 2), 5), cache, 1).logits));
  for (std::size_t t = 7; t < 9; ++t) {
    append(logits, engine.values(engine.forward(text_tokens(some_ids(1, t), t), cache, 1).logits));
  }
  EXPECT_GT(engine.recorded(), 0U);
  return logits;
}

TEST_P(EngineCalls, EndWithoutAFindingAndInAnyOrderAlike) {
  const auto path = directory_.path() / "model";
  write_synthetic_checkpoint(GetParam(), path, smallest(GetParam()));
  const auto forward = logits_of_calls(path, {});
  ASSERT_EQ(forward.size(), 5 * kVocabulary);
  for (const float logit : forward) {
    ASSERT_TRUE(std::isfinite(logit));
  }
  simt::settings.order = simt::Order::kShuffled;
  const auto shuffled = logits_of_calls(path, {});
  EXPECT_EQ(std::memcmp(forward.data(), shuffled.data(), forward.size() * sizeof(float)), 0);
}

TEST_P(EngineCalls, InBf16) {
  const auto path = directory_.path() / "model";
  write_synthetic_checkpoint(GetParam(), path, smallest(GetParam()));
  Options half;
  half.round_to_bf16 = true;
  half.cache = KeyType::kBf16;
  simt::settings.order = simt::Order::kReverse;
  for (const KernelSet most : {KernelSet::kPlain, KernelSet::kMma, KernelSet::kWgmma}) {
    half.kernels = KernelChoice{most, true};
    EXPECT_EQ(logits_of_calls(path, half).size(), 5 * kVocabulary);
  }
}

// Heads as wide as those that attention by tensor cores takes.
TEST(EngineCallsOfWideHeads, InBf16) {
  const TestDirectory directory;
  const auto path = directory.path() / "model";
  SynthOptions wide = smallest("31b");
  wide.head_dim = 256;
  wide.global_head_dim = 512;
  write_synthetic_checkpoint("31b", path, wide);
  Options half;
  half.round_to_bf16 = true;
  half.cache = KeyType::kBf16;
  std::vector<float> plain;
  for (const KernelSet most : {KernelSet::kPlain, KernelSet::kMma, KernelSet::kWgmma}) {
    half.kernels = KernelChoice{most, true};
    const auto logits = logits_of_calls(path, half);
    if (most == KernelSet::kPlain) {
      plain = logits;
    }
    EXPECT_LE(cpu::relative_difference(logits, plain), 0.02) << static_cast<int>(most);
    EXPECT_EQ(logits == plain, most == KernelSet::kPlain) << static_cast<int>(most);
  }
}

TEST_P(EngineCalls, Drafts) {
  const std::string size = GetParam();
  const auto target = directory_.path() / "model", small = directory_.path() / "drafter";
  write_synthetic_checkpoint(size, target, smallest(size));
  SynthOptions options = smallest(size);
  options.layer_types = {LayerKind::kSliding, LayerKind::kFull};
  options.num_hidden_layers = 2;
  options.num_kv_shared_layers = {};
  options.hidden_size_per_layer_input = {};
  options.num_experts = {};
  options.top_k_experts = {};
  options.moe_intermediate_size = {};
  options.backbone_hidden_size = 32;
  if (size.starts_with("e")) {
    options.num_centroids = 4;
    options.centroid_intermediate_top_k = 2;
  }
  write_synthetic_checkpoint(size + "-drafter", small, options);
  simt::settings.order = simt::Order::kShuffled;
  Stream stream;
  const Checkpoint checkpoint = Checkpoint::open(target);
  const Checkpoint drafter_checkpoint = Checkpoint::open(small);
  const Model model(checkpoint, stream);
  const Model drafter_model(drafter_checkpoint, stream);
  Engine engine(model, {}, stream);
  KvCache cache = engine.new_cache(12, 5);
  const auto last = engine.forward(text_tokens(some_ids(5, 1), 0), cache, 1);
  Drafter drafter(drafter_model, model, {}, stream);
  EXPECT_EQ(
      drafter.draft(cache, 5, 5, engine.values(last.final_norm), 2, cpu::DraftWindow::kLastKeys)
          .size(),
      2U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EngineCalls, testing::Values("e2b", "e4b", "12b", "26b", "31b"));

}  // namespace
}  // namespace assay::cuda
