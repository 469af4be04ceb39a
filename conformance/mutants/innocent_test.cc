// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/innocent.h"

#include <gtest/gtest.h>

#include <set>

#include "conformance/compare/precision.h"
#include "conformance/doors/registry.h"
#include "conformance/mutants/kill_table.h"
#include "reference/family/testing/source_dir.h"

namespace assay::conformance {
namespace {

// Other roundings than the float build's, and none that the judge refuses.
TEST(Innocent, IsAnotherProgramAndARightOne) {
  const std::string checkpoint = source_dir() + "/golden/checkpoints/e2b-tiny";
  const auto f64 = oracle_entry().make("f64");
  const auto f32 = oracle_entry().make("f32");
  ASSERT_TRUE(f64->load(checkpoint, "").ok());
  ASSERT_TRUE(f32->load(checkpoint, "").ok());
  const MutantModel model(checkpoint, "");
  const Golden golden = read_golden(source_dir() + "/golden/cases/e2b-tiny/text-edges.h5");
  Oracle oracle(*f64, *f32, "REF");
  CaseTrials trials(golden, "e2b-tiny/text-edges", oracle, model, *find_precision("f32"));
  std::set<std::string> kinds;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Innocent innocent = innocent_variant(seed);
    EXPECT_EQ(trials.alarm_of(innocent), "") << innocent.what;
    kinds.insert(innocent.what);
    if (!innocent.variant.rewrites.empty()) {
      EXPECT_NE(trials.judge(innocent.variant).fate, Fate::kEquivalent) << innocent.what;
    }
  }
  EXPECT_GE(kinds.size(), 8U);
}

TEST(Innocent, IsDrawnByItsSeed) {
  EXPECT_EQ(innocent_variant(7).what, innocent_variant(7).what);
}

}  // namespace
}  // namespace assay::conformance
