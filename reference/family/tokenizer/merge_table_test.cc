// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/merge_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// a b c ab bc abc
enum : std::int32_t { kA, kB, kC, kAb, kBc, kAbc };

// The definition, without any cleverness: look at all pairs, merge the best, begin again.
Ids merged_slowly(const MergeTable& table, Ids ids) {
  while (true) {
    std::size_t best = ids.size();
    std::int32_t best_rank = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto merge = table.find(ids[i], ids[i + 1]);
      if (merge.rank >= 0 && (best == ids.size() || merge.rank < best_rank)) {
        best = i;
        best_rank = merge.rank;
      }
    }
    if (best == ids.size()) {
      return ids;
    }
    ids[best] = table.find(ids[best], ids[best + 1]).whole;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(MergeTable, FindsPairsInTheirOrder) {
  const MergeTable table({{kA, kB}, {kB, kC}, {kAb, kC}}, {kAb, kBc, kAbc});
  EXPECT_EQ(table.find(kB, kC).rank, 1);
  EXPECT_EQ(table.find(kB, kC).whole, kBc);
  EXPECT_EQ(table.find(kC, kB).rank, -1);
  EXPECT_EQ(MergeTable().find(kA, kB).rank, -1);
}

TEST(MergeTable, TheLastOfEqualPairsStands) {
  const MergeTable table({{kA, kB}, {kB, kC}, {kA, kB}}, {kAb, kBc, kAb});
  EXPECT_EQ(table.find(kA, kB).rank, 2);
  EXPECT_THAT(table.merge_all({kA, kB, kC}), ElementsAre(kA, kBc));
}

TEST(MergeTable, NothingToMerge) {
  const MergeTable table({{kA, kB}}, {kAb});
  EXPECT_THAT(table.merge_all({}), IsEmpty());
  EXPECT_THAT(table.merge_all({kB}), ElementsAre(kB));
  EXPECT_THAT(table.merge_all({kB, kA}), ElementsAre(kB, kA));
  EXPECT_THAT(MergeTable().merge_all({kA, kB}), ElementsAre(kA, kB));
}

TEST(merge_table_mistakes, P08_longest_match) {
  // Longest match from the left would take ab; the better merge is b + c.
  const MergeTable table({{kB, kC}, {kA, kB}}, {kBc, kAb});
  EXPECT_THAT(table.merge_all({kA, kB, kC}), ElementsAre(kA, kBc));
}

TEST(merge_table_mistakes, P09_ties_from_the_right) {  // RT-10
  // a a a with a + a only: the left two merge.
  enum : std::int32_t { kOne, kTwo, kFour };
  const MergeTable table({{kOne, kOne}, {kTwo, kTwo}}, {kTwo, kFour});
  EXPECT_THAT(table.merge_all({kOne, kOne, kOne}), ElementsAre(kTwo, kOne));
  EXPECT_THAT(table.merge_all(Ids(7, kOne)), ElementsAre(kFour, kTwo, kOne));
}

TEST(MergeTable, AgreesWithTheDefinitionOnRandomTables) {  // RT-10
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::int32_t>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> tokens = {"a", "b", "c"};
    for (int i = 0; i < 12; ++i) {  // joined from earlier ones, so that merges lead there
      std::string token = tokens[static_cast<std::size_t>(below(tokens.size()))] +
                          tokens[static_cast<std::size_t>(below(tokens.size()))];
      if (token.size() < 9 && std::ranges::find(tokens, token) == tokens.end()) {
        tokens.push_back(std::move(token));
      }
    }
    const Merges merges = rebuild_merges(tokens);
    Vocabulary vocabulary{"v", tokens, merges, {}, false};
    const MergeTable table(merges, check_vocabulary(vocabulary, TokenIds(tokens)));
    Ids word;
    for (int i = below(40); i > 0; --i) {
      word.push_back(below(3));
    }
    ASSERT_EQ(table.merge_all(word), merged_slowly(table, word)) << "round " << round;
  }
}

// Four times the symbols may take little more than four times as long, not sixteen times.
TEST(MergeTable, TimeGrowsWithTheLength) {
  const Tokenizer& tokenizer = small_tokenizer();
  const auto seconds = [&](std::size_t size) {
    const std::string text(size, 'a');
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_GT(tokenizer.encode(text).size(), size / 16);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count());
    }
    return best;
  };
  EXPECT_LT(seconds(400000), 9 * seconds(100000) + 0.02);
}

}  // namespace
}  // namespace assay
