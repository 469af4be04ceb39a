// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/kill_table.h"

#include <gtest/gtest.h>

#include "conformance/compare/precision.h"
#include "conformance/doors/registry.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

const std::string kCheckpoint = source_dir() + "/golden/checkpoints/26b-tiny";
const std::string kCase = source_dir() + "/golden/cases/26b-tiny/text-edges.h5";

class KillTable26b : public testing::Test {
 protected:
  KillTable26b()
      : f64_(oracle_entry().make("f64")),
        f32_(oracle_entry().make("f32")),
        model_(kCheckpoint, ""),
        golden_(read_golden(kCase)) {
    EXPECT_TRUE(f64_->load(kCheckpoint, "").ok());
    EXPECT_TRUE(f32_->load(kCheckpoint, "").ok());
    oracle_ = std::make_unique<Oracle>(*f64_, *f32_, "REF");
    trials_ = std::make_unique<CaseTrials>(golden_, "26b-tiny/text-edges", *oracle_, model_,
                                           *find_precision("f32"));
  }

  std::unique_ptr<Implementation> f64_;
  std::unique_ptr<Implementation> f32_;
  MutantModel model_;
  Golden golden_;
  std::unique_ptr<Oracle> oracle_;
  std::unique_ptr<CaseTrials> trials_;
};

TEST_F(KillTable26b, CatchesAMistakeAtItsTap) {
  for (const char* label : {"M-111", "M-67", "M-49", "M-03:attn.norm_in", "M-119"}) {
    const Kill kill = trials_->judge(*find_mutant(label));
    EXPECT_EQ(kill.fate, Fate::kKilled) << label << " " << kill.caught_at;
    EXPECT_GT(kill.size, 4) << label;
  }
}

// A mutant that does nothing proves nothing, and one that is far too small escapes.
TEST_F(KillTable26b, SaysWhatIsNotCaught) {
  const Mutant nothing = mutant("M-60", "text.layer.{i}.attn.scores", [](Scene&, Tap&) {});
  EXPECT_EQ(trials_->judge(nothing).fate, Fate::kEquivalent);
  const Mutant tiny = mutant("M-60", "text.layer.{i}.attn.scores", [](Scene&, Tap& tap) {
    for (double& value : tap.values) {
      value *= 1 + 3e-8;
    }
  });
  EXPECT_NE(trials_->judge(tiny).fate, Fate::kKilled);
  Mutant elsewhere = *find_mutant("M-60");
  elsewhere.expected = "text.layer.{i}.attn.q_rope";
  EXPECT_EQ(trials_->judge(elsewhere).fate, Fate::kMisplaced);
}

// What bf16 rounds away by itself lies below it; what would change no program at all does not.
TEST_F(KillTable26b, ProvesWhatLiesBelowARounding) {
  CaseTrials bf16(golden_, "26b-tiny/text-edges", *oracle_, model_, *find_precision("bf16"));
  const Mutant stored = mutant("M-60", "text.layer.{i}.attn.q_proj", [](Scene&, Tap& tap) {
    for (double& value : tap.values) {
      value = round_to_class(value, *find_precision("bf16"));
    }
  });
  const Kill kill = bf16.judge(stored);
  EXPECT_EQ(kill.fate, Fate::kBelow);
  EXPECT_EQ(kill.differing, 0);
  const Mutant nothing = mutant("M-60", "text.layer.{i}.attn.scores", [](Scene&, Tap&) {});
  EXPECT_EQ(bf16.judge(nothing).fate, Fate::kEquivalent);
  for (const char* label : {"M-125", "MECH-one-weight:moe.router_logits"}) {
    EXPECT_EQ(bf16.judge(*find_mutant(label)).fate, Fate::kKilled) << label;
  }
}

TEST_F(KillTable26b, KnowsWhichMutantsHaveTheirTapsHere) {
  EXPECT_TRUE(trials_->has_taps_of(*find_mutant("M-111")));
  EXPECT_FALSE(trials_->has_taps_of(*find_mutant("M-29")));  // no per-layer inputs
}

}  // namespace
}  // namespace assay::conformance
