// SPDX-License-Identifier: Apache-2.0
// What a mutant does to a run, against numbers worked out by other means.
#include "conformance/mutants/mutated.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/listeners.h"
#include "conformance/doors/registry.h"
#include "conformance/records/golden.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

const std::string kCheckpoint = source_dir() + "/golden/checkpoints/31b-tiny";
const std::string kCase = source_dir() + "/golden/cases/31b-tiny/text-edges.h5";

class MutatedRun : public testing::Test {
 protected:
  MutatedRun()
      : f64_(oracle_entry().make("f64")), model_(kCheckpoint, ""), golden_(read_golden(kCase)) {
    EXPECT_TRUE(f64_->load(kCheckpoint, "").ok());
  }

  TapSet run(const std::vector<const Mutant*>& mutants) {
    Mutated mutated(*f64_, model_, mutants);
    CollectingListener listener;
    EXPECT_TRUE(mutated.run(golden_.input, {}, listener).ok());
    listener.check();
    changed_ = mutated.changed();
    return std::move(listener.taps());
  }

  std::unique_ptr<Implementation> f64_;
  MutantModel model_;
  Golden golden_;
  std::vector<Change> changed_;
};

TEST_F(MutatedRun, WithoutAMistakeGivesTheTruth) {
  const TapSet taps = run({});
  EXPECT_TRUE(changed_.empty());
  for (const Tap& truth : golden_.truth) {
    const Tap& got = taps.at(truth.name);
    for (std::size_t i = 0; i < truth.values.size(); ++i) {
      EXPECT_NEAR(got.values[i], truth.values[i], 1e-9 * (1 + std::abs(truth.values[i])));
    }
  }
}

// W = 4: without a window row 9 sees all ten keys, with one the last four.
TEST_F(MutatedRun, WithoutAWindowEveryEarlierKeyHasAShare) {
  const Tap probs = run({find_mutant("M-67")}).at("text.layer.0.attn.probs");
  const std::size_t keys = probs.shape.back();
  const auto row = std::span(probs.values).last(keys);
  EXPECT_EQ(std::ranges::count_if(row, [](double p) { return p > 0; }), 10);
  const Tap honest = run({}).at("text.layer.0.attn.probs");
  const auto right = std::span(honest.values).last(keys);
  EXPECT_EQ(std::ranges::count_if(right, [](double p) { return p > 0; }), 4);
}

// What a class shows of a change: half a spacing of bf16 turns about half of the roundings.
TEST_F(MutatedRun, CountsTheRoundingsThatBecomeOthers) {
  const PrecisionClass* bf16 = find_precision("bf16");
  for (const auto& [by, least, most] :
       {std::tuple(1 + 0x1p-9, 0.2, 0.8), {1 + 0x1p-20, 0.0, 0.01}}) {
    const Mutant scaled = mutant("M-20", "text.embed_scaled", [by = by](Scene&, Tap& t) {
      for (double& value : t.values) {
        value *= by;
      }
    });
    Mutated mutated(*f64_, model_, {&scaled}, bf16);
    CollectingListener listener;
    ASSERT_TRUE(mutated.run(golden_.input, {}, listener).ok());
    ASSERT_EQ(mutated.changed().size(), 1U);
    EXPECT_GE(mutated.changed()[0].differing, least);
    EXPECT_LE(mutated.changed()[0].differing, most);
    EXPECT_GT(mutated.changed()[0].spacings, (by - 1) * 0x1p7);
    EXPECT_LE(mutated.changed()[0].spacings, (by - 1) * 0x1p8);
  }
}

// The run goes on from what the mistake wrote, and the taps before it stay.
TEST_F(MutatedRun, ChangesItsTapAndWhatFollows) {
  const TapSet honest = run({});
  const TapSet taps = run({find_mutant("M-130")});
  ASSERT_EQ(changed_.size(), 1U);
  EXPECT_EQ(changed_[0].tap, "text.logits");
  EXPECT_EQ(taps.at("text.logits").values, honest.at("text.logits_raw").values);
  EXPECT_EQ(taps.at("text.logits_raw").values, honest.at("text.logits_raw").values);
  EXPECT_NE(run({find_mutant("M-01:attn.norm_in")}).at("text.logits").values,
            honest.at("text.logits").values);
}

TEST_F(MutatedRun, SeveralMistakesActTogether) {
  run({find_mutant("M-130"), find_mutant("M-08")});
  EXPECT_EQ(changed_.size(), model_.config().text.layers.size() + 1);
}

// A mistake whose weights the model lacks does nothing.
TEST_F(MutatedRun, IsNotThereWithoutItsWeights) {
  run({find_mutant("M-111")});
  EXPECT_TRUE(changed_.empty());
}

TEST(AllMutants, HaveLabelsAndTapsOfTheCatalogue) {
  std::set<std::string> labels;
  for (const Mutant& mutant : all_mutants()) {
    EXPECT_TRUE(labels.insert(mutant.label).second) << mutant.label;
    EXPECT_FALSE(describe(mutant).empty());
    EXPECT_NE(describe(mutant), mutant.label) << "says nothing";
    EXPECT_TRUE(find_tap(mutant.expected)) << mutant.label;
    for (const Rewrite& rewrite : mutant.rewrites) {
      EXPECT_TRUE(find_tap(rewrite.tap)) << mutant.label << " " << rewrite.tap;
    }
    const std::string mistake(mistake_label(mutant.label));
    EXPECT_TRUE(find_mistake(mistake) != nullptr || mistake.starts_with("MECH-")) << mutant.label;
  }
}

// An entry of the catalogue can be run, or it is written why not.
TEST(AllMutants, CoverTheCatalogue) {
  std::set<std::string_view> expressed;
  for (const Mutant& mutant : all_mutants()) {
    expressed.insert(mistake_label(mutant.label));
  }
  std::size_t some = 0;
  for (const Mistake& mistake : all_mistakes()) {
    const bool reason = !why_not_expressible(mistake.label).empty();
    EXPECT_NE(expressed.contains(mistake.label), reason) << mistake.label;
    some += reason ? 0 : 1;
  }
  EXPECT_GE(some, 295U);
  EXPECT_GE(all_mutants().size(), 300U);
}

// One value put across the boundary between two numbers of bf16, and how far.
TEST_F(MutatedRun, CountsTheValuesThatRoundOtherwise) {
  const PrecisionClass& bf16 = *find_precision("bf16");
  const Mutant one = mutant(
      "M-60", "text.layer.{i}.ffn.down",
      [&](Scene&, Tap& tap) { tap.values[3] += spacing_of_class(tap.values[3], bf16); }, "",
      Layers::kFirst);
  Mutated mutated(*f64_, model_, {&one}, &bf16);
  CollectingListener listener;
  EXPECT_TRUE(mutated.run(golden_.input, {}, listener).ok());
  ASSERT_EQ(mutated.changed().size(), 1U);
  const Change& change = mutated.changed().front();
  EXPECT_EQ(change.others, 1U);
  EXPECT_NEAR(change.spacings, 1, 1e-9);
  EXPECT_GT(change.excess, 100);
  EXPECT_LT(change.excess, 0x1p17);
}

}  // namespace
}  // namespace assay::conformance
