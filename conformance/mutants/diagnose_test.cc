// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/diagnose.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/catalogue/catalogue.h"
#include "conformance/compare/judge_run.h"
#include "conformance/compare/listeners.h"
#include "conformance/compare/precision.h"
#include "conformance/doors/registry.h"
#include "conformance/records/dump.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

using Names = std::vector<std::string>;

// A model and a case of it, and what the doctor says of runs.
class Patient {
 public:
  Patient(const std::string& checkpoint, const std::string& name)
      : f64_(oracle_entry().make("f64")),
        f32_(oracle_entry().make("f32")),
        model_(source_dir() + "/golden/checkpoints/" + checkpoint, ""),
        golden_(read_golden(source_dir() + "/golden/cases/" + checkpoint + "/" + name + ".h5")) {
    EXPECT_TRUE(f64_->load(model_.path(), "").ok());
    EXPECT_TRUE(f32_->load(model_.path(), "").ok());
  }

  // The fp32 run with these mistakes, of which a filter keeps some taps.
  TapSet run(const std::vector<const Mutant*>& mutants, const TapFilter& filter) {
    Mutated mutated(*f32_, model_, mutants);
    CollectingListener listener(filter);
    EXPECT_TRUE(mutated.run(golden_.input, {}, listener).ok());
    listener.check();
    return std::move(listener.taps());
  }

  std::vector<Diagnosis> diagnose_dump(const TapSet& dump, const PrecisionClass& precision) {
    Oracle oracle(*f64_, *f32_, "REF");
    const Floors floors = floors_for(golden_, dump.names(), &oracle, precision, {Mode::kReplay});
    return diagnose(oracle.f64(), {golden_, dump, floors, model_, 60});
  }

  std::vector<Diagnosis> of(const std::vector<const Mutant*>& mutants, const TapFilter& filter) {
    return diagnose_dump(run(mutants, filter), *find_precision("f32"));
  }

 private:
  std::unique_ptr<Implementation> f64_;
  std::unique_ptr<Implementation> f32_;
  MutantModel model_;
  Golden golden_;
};

bool not_masks(const std::string& tap) {
  return !tap.starts_with("text.mask") && !tap.starts_with("text.rope");
}

bool blocks(const std::string& tap) {
  const auto match = find_tap(tap);
  return match && match->entry->mandatory && not_masks(tap);
}

bool logits(const std::string& tap) {
  return tap == "text.logits";
}

bool names(const std::vector<Diagnosis>& found, const std::string& mistake) {
  return std::ranges::any_of(found, [&](const Diagnosis& one) {
    return mistake_label(one.label) == mistake ||
           std::ranges::any_of(one.same_here, [&](const std::string& label) {
             return mistake_label(label) == mistake;
           });
  });
}

std::string said(const std::vector<Diagnosis>& found) {
  std::string text = found.empty() ? "nothing" : "";
  for (const Diagnosis& one : found) {
    text += describe(one) + "; ";
  }
  return text;
}

TEST(Diagnose, NamesAMistakeFromFullDumpsBlocksAndLogits) {
  Patient patient("31b-tiny", "text-edges");
  for (const char* label : {"M-67", "M-60", "M-49", "M-08", "M-101"}) {
    for (const TapFilter& filter : {TapFilter(not_masks), TapFilter(blocks), TapFilter(logits)}) {
      const auto found = patient.of({find_mutant(label)}, filter);
      EXPECT_TRUE(names(found, label)) << label << ": " << said(found);
    }
  }
}

TEST(Diagnose, NamesTwoMistakesOfOneRun) {
  Patient patient("31b-tiny", "text-edges");
  const auto found = patient.of({find_mutant("M-67"), find_mutant("M-130")}, not_masks);
  EXPECT_TRUE(names(found, "M-67")) << said(found);
  EXPECT_TRUE(names(found, "M-130")) << said(found);
  EXPECT_EQ(found.size(), 2U) << said(found);
}

// From the outputs of layers, each of which holds both.
TEST(Diagnose, NamesTwoMistakesOfEachLayer) {
  const auto outputs = [](const std::string& tap) {
    return tap == "text.logits" || (tap.starts_with("text.layer.") && tap.ends_with(".out") &&
                                    std::ranges::count(tap, '.') == 3);
  };
  Patient patient("31b-tiny", "text-edges");
  for (const auto& [one, other] : {std::pair("M-60", "M-05"), std::pair("M-49", "M-05"),
                                   std::pair("M-67", "M-101"), std::pair("M-60", "M-101")}) {
    const auto found = patient.of({find_mutant(one), find_mutant(other)}, outputs);
    EXPECT_TRUE(names(found, one)) << one << " " << other << ": " << said(found);
    EXPECT_TRUE(names(found, other)) << one << " " << other << ": " << said(found);
    EXPECT_EQ(found.size(), 2U) << said(found);
  }
}

// A scalar that one layer of a file lacks, seen through the logits.
TEST(Diagnose, NamesAMistakeOfOneLayer) {
  Patient patient("31b-tiny", "text-edges");
  Mutant one = *find_mutant("M-08");
  one.rewrites.front().layers = Layers::kMiddle;
  const auto found = patient.of({&one}, logits);
  ASSERT_EQ(found.size(), 1U) << said(found);
  EXPECT_EQ(found.front().label, "M-08:layer=3") << said(found);
  EXPECT_EQ(found.front().what, "the layer scalar is left out, in layer 3 alone");
}

// One mistake at two places is one, not a pair; of layers that are numbered round, the last one
// too.
TEST(Diagnose, NamesAMistakeAtTwoPlacesOnce) {
  Patient heads("31b-tiny", "text-edges");
  for (const TapFilter& filter : {TapFilter(not_masks), TapFilter(blocks), TapFilter(logits)}) {
    const auto found = heads.of({find_mutant("M-63:both")}, filter);
    ASSERT_EQ(found.size(), 1U) << said(found);
    EXPECT_EQ(found.front().label, "M-63:both") << said(found);
  }
  Patient slices("e2b-tiny", "text-edges");
  const auto found = slices.of({find_mutant("M-37:round")}, logits);
  ASSERT_EQ(found.size(), 1U) << said(found);
  EXPECT_EQ(found.front().label, "M-37:round") << said(found);
}

// What nobody knows has no name, and what is right has no mistake.
TEST(Diagnose, NamesNothingThatItDoesNotKnow) {
  Patient patient("31b-tiny", "text-edges");
  EXPECT_TRUE(patient.of({}, not_masks).empty());
  const Mutant unknown = mutant("M-60", "text.layer.{i}.attn.mix", [](Scene&, Tap& tap) {
    for (std::size_t i = 0; i < tap.values.size(); ++i) {
      tap.values[i] += 0.01 * static_cast<double>(i % 7);
    }
  });
  for (const TapFilter& filter : {TapFilter(not_masks), TapFilter(blocks), TapFilter(logits)}) {
    const auto found = patient.of({&unknown}, filter);
    EXPECT_TRUE(found.empty()) << said(found);
  }
}

// The published package gemma 4.0.1 normalises what its router reads twice (DIV-14, M-111).
TEST(Diagnose, NamesTheRouterOfGemma401) {
  Patient patient("26b-tiny", "text-long");
  const auto dump = read_dump(source_dir() + "/golden/findings/gemma-4.0.1-26b-router.safetensors");
  const auto found = patient.diagnose_dump(dump.taps, *find_precision("f32"));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().label, "M-111") << said(found);
}

// CTranslate2 4.8.5 has no window on sliding layers; its logits are all there is.
TEST(Diagnose, NamesTheMissingWindowOfCTranslate2) {
  Patient patient("31b-tiny", "text-long");
  const auto dump =
      read_dump(source_dir() + "/golden/findings/ctranslate2-4.8.5-31b-logits.safetensors");
  const auto found = patient.diagnose_dump(dump.taps, *find_precision("f32"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().label, "M-67") << said(found);
}

TEST(Diagnose, SaysItInOneLine) {
  Diagnosis one;
  one.label = "M-67";
  one.what = "sliding layers have no window";
  one.explains = 7;
  one.failing = 7;
  EXPECT_EQ(describe(one), "this is M-67, sliding layers have no window; explains 7 of 7 taps");
  one.failing = one.explains = 1;
  one.same_here = {"M-92", "X16"};
  EXPECT_EQ(describe(one),
            "this is M-67, sliding layers have no window; explains 1 of 1 tap (the same here: "
            "M-92, X16)");
}

}  // namespace
}  // namespace assay::conformance
