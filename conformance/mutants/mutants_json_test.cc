// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/mutants_json.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "reference/family/base/error.h"
#include "reference/family/testing/test_directory.h"

namespace assay::conformance {
namespace {

KillTable two_kills() {
  KillTable table;
  table.precision = "bf16";
  table.kills = {{"M-67", "31b-tiny/text-edges", "text.layer.{i}.attn.probs",
                  "text.layer.0.attn.probs", 2e6, Fate::kKilled},
                 {"M-93", "", "text.mask.local", "", 0, Fate::kEquivalent}};
  table.kills.front().differing = 0.5;
  table.kills.front().spacings = 7;
  table.innocent_runs = 3;
  return table;
}

TEST(MutantsJson, ReadsBackWhatItWrites) {
  const TestDirectory directory;
  write_mutants_json(directory.path().string(), two_kills());
  std::ifstream file(directory.path() / "mutants.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const KillTable again = read_mutants_json(text, "mutants.json");
  const auto& kills = again.kills;
  EXPECT_EQ(again.precision, "bf16");
  ASSERT_EQ(kills.size(), 2U);
  EXPECT_EQ(kills[0].caught_at, "text.layer.0.attn.probs");
  EXPECT_EQ(kills[0].fate, Fate::kKilled);
  EXPECT_EQ(kills[0].size, 2e6);
  EXPECT_EQ(kills[0].differing, 0.5);
  EXPECT_EQ(kills[0].spacings, 7);
  EXPECT_EQ(kills[1].fate, Fate::kEquivalent);
  EXPECT_NE(text.find("\"expressible\": 2"), std::string::npos);
  EXPECT_NE(text.find("\"innocent_runs\": 3"), std::string::npos);
}

TEST(MutantsJson, RefusesWhatIsNoKillTable) {
  for (const char* text :
       {"", "[]", "{}", R"({"format_version": 2, "mutants": []})",
        R"({"format_version": 1, "mutants": 3})", R"({"format_version": 1, "mutants": [1]})",
        R"({"format_version": 1, "mutants": [{"label": "M-60", "case": "", "expected": "",
           "caught_at": "", "size": 0, "verdict": "alive"}]})"}) {
    EXPECT_THROW(read_mutants_json(text, "mutants.json"), Error) << text;
  }
}

TEST(MutantsJson, AllKilledAsksForTheTapAndForNoFalseAlarm) {
  KillTable table = two_kills();
  EXPECT_FALSE(all_killed(table));
  table.kills.pop_back();
  EXPECT_TRUE(all_killed(table));
  table.kills.push_back({"M-02", "", "", "", 0, Fate::kBelow});
  EXPECT_TRUE(all_killed(table));
  table.false_alarms = 1;
  EXPECT_FALSE(all_killed(table));
}

}  // namespace
}  // namespace assay::conformance
