// SPDX-License-Identifier: Apache-2.0
// Whole calls of the engine with the race detector on every kernel: a prompt, chunks, recorded
// steps, drafts. A race ends the launch with a Failure that names the kernel.
#include <gtest/gtest.h>

#include <optional>

#include "optimized/device/cuda/executor.h"
#include "optimized/device/cuda/watcher.h"
#include "optimized/engine/cuda/drafter.h"
#include "optimized/testing/test_engine.h"

namespace assay::cuda {
namespace {

using cpu::golden_checkpoint;
using cpu::some_ids;
using cpu::text_tokens;

class EngineRaces : public testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { simt::settings = {}; }
};

TEST(RaceDetector, IsThere) {
  EXPECT_NE(simt::watcher, nullptr);
}

void run_calls(const std::string& name) {
  Stream stream;
  const Checkpoint checkpoint = Checkpoint::open(golden_checkpoint(name));
  const Model model(checkpoint, stream);
  Engine engine(model, {}, stream);
  KvCache cache = engine.new_cache(300, 11);
  engine.forward(text_tokens(some_ids(11, 1), 0), cache, 3);
  engine.forward(text_tokens(some_ids(2, 2), 11), cache, 2);
  ForwardResult last;
  for (std::size_t t = 13; t < 15; ++t) {
    last = engine.forward(text_tokens(some_ids(1, t), t), cache, 1);
  }
  const auto drafter_path = golden_checkpoint(name + "-drafter");
  if (!std::filesystem::exists(drafter_path)) {
    return;
  }
  const Checkpoint drafter_checkpoint = Checkpoint::open(drafter_path);
  const Model drafter_model(drafter_checkpoint, stream);
  Drafter drafter(drafter_model, model, {}, stream);
  const auto drafted =
      drafter.draft(cache, 5, 15, engine.values(last.final_norm), 2, cpu::DraftWindow::kLastKeys);
  EXPECT_EQ(drafted.size(), 2U);
}

TEST_P(EngineRaces, NoneInAnyCall) {
  simt::settings.order = simt::Order::kShuffled;
  EXPECT_NO_THROW(run_calls(GetParam())) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, EngineRaces,
                         testing::Values("e2b-tiny", "e4b-tiny", "12b-tiny", "26b-tiny", "31b-tiny",
                                         "26b-q8_0-tiny", "31b-q4_0-tiny"));

}  // namespace
}  // namespace assay::cuda
