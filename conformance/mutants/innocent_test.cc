// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/innocent.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "conformance/compare/precision.h"
#include "conformance/doors/registry.h"
#include "conformance/mutants/kill_table.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

// One case and those who judge it.
class Court {
 public:
  Court(const std::string& size, const std::string& name)
      : checkpoint_(source_dir() + "/golden/checkpoints/" + size),
        golden_(read_golden(source_dir() + "/golden/cases/" + size + "/" + name + ".h5")),
        model_(checkpoint_, ""),
        f64_(loaded("f64")),
        f32_(loaded("f32")) {}

  CaseTrials& trials() { return trials_; }

 private:
  std::unique_ptr<Implementation> loaded(const std::string& precision) const {
    auto implementation = oracle_entry().make(precision);
    EXPECT_TRUE(implementation->load(checkpoint_, "").ok());
    return implementation;
  }

  std::string checkpoint_;
  Golden golden_;
  MutantModel model_;
  std::unique_ptr<Implementation> f64_;
  std::unique_ptr<Implementation> f32_;
  Oracle oracle_{*f64_, *f32_, "REF"};
  CaseTrials trials_{golden_, "case", oracle_, model_, *find_precision("f32")};
};

// Other roundings than the float build's, and none that the judge refuses.
TEST(Innocent, IsAnotherProgramAndARightOne) {
  Court court("e2b-tiny", "text-edges");
  std::set<std::string> kinds;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Innocent innocent = innocent_variant(seed);
    EXPECT_EQ(court.trials().alarm_of(innocent), "") << innocent.what();
    kinds.insert(innocent.what());
    if (!innocent.variant.rewrites.empty()) {
      EXPECT_NE(court.trials().judge(innocent.variant).fate, Fate::kEquivalent) << innocent.what();
    }
  }
  EXPECT_GE(kinds.size(), 8U);
}

// The error of such an angle grows with the position: here the longest prompts with soft tokens.
TEST(Innocent, ShowsTheTablesItTurnsBy) {
  Court court("12b-media-tiny", "image-text");
  int narrow = 0;
  for (std::uint64_t seed = 1; narrow < 2; ++seed) {
    const Innocent innocent = innocent_variant(seed);
    if (innocent.what().find("angles in fp32") != std::string::npos) {
      ++narrow;
      EXPECT_EQ(court.trials().alarm_of(innocent), "") << innocent.what();
    }
  }
}

TEST(Innocent, IsDrawnByItsSeed) {
  EXPECT_EQ(innocent_variant(7).what(), innocent_variant(7).what());
}

}  // namespace
}  // namespace assay::conformance
