// SPDX-License-Identifier: Apache-2.0
#include "reference/family/tokenizer/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> pairs_of(const Merges& merges, const std::vector<std::string>& tokens) {
  std::vector<std::string> pairs;
  for (const auto& [left, right] : merges) {
    pairs.push_back(tokens[static_cast<std::size_t>(left)] + " " +
                    tokens[static_cast<std::size_t>(right)]);
  }
  return pairs;
}

Vocabulary vocabulary_of(std::vector<std::string> tokens) {
  Vocabulary vocabulary;
  vocabulary.source = "v";
  vocabulary.tokens = std::move(tokens);
  vocabulary.merges = rebuild_merges(vocabulary.tokens);
  return vocabulary;
}

std::string check_error(const Vocabulary& vocabulary) {
  return error_of([&] { check_vocabulary(vocabulary, TokenIds(vocabulary.tokens)); });
}

TEST(TokenIds, FindsEveryTokenAndTheFirstOfEqualOnes) {
  const std::vector<std::string> tokens = {"a", "b", "", "ab", "a", std::string("\0x", 2)};
  const TokenIds ids(tokens);
  EXPECT_EQ(ids.find("a"), 0);
  EXPECT_EQ(ids.find("ab"), 3);
  EXPECT_EQ(ids.find(""), 2);
  EXPECT_EQ(ids.find(std::string_view("\0x", 2)), 5);
  EXPECT_EQ(ids.find("x"), kNoToken);
  EXPECT_EQ(TokenIds().find("a"), kNoToken);
}

TEST(Vocabulary, MergesFollowFromTheListByHand) {  // RT-4
  // First the runs, longest left half first; then abc, then ab and bc by id.
  const std::vector<std::string> tokens = {"\n", "\n\n", "\n\n\n", "a",  "b",
                                           "c",  "ab",   "bc",     "abc"};
  EXPECT_THAT(pairs_of(rebuild_merges(tokens), tokens),
              ElementsAre("\n\n \n", "\n \n\n", "\n \n", "a b", "b c", "ab c", "a bc"));
}

TEST(Vocabulary, MergesAreSplitAtCharactersOnly) {
  const std::vector<std::string> tokens = {"\xC3", "\xA9", "é", "aé", "a"};
  EXPECT_THAT(pairs_of(rebuild_merges(tokens), tokens), ElementsAre("a é"));
}

TEST(Vocabulary, ScoresCountFromTheLastByteToken) {
  // Runs have score 0 and pieces after the bytes fewer; without bytes pieces begin at id 0.
  const std::vector<std::string> tokens = {"<0xFE>", "<0xFF>", "a", "aa", "\t", "\t\t"};
  EXPECT_THAT(pairs_of(rebuild_merges(tokens), tokens), ElementsAre("\t \t", "a a"));
}

TEST(vocabulary_mistakes, P10_merges_by_id_only) {
  // The piece "ab" has the lower id; the run of tabs merges first all the same.
  const std::vector<std::string> tokens = {"<0xFF>", "a", "b", "ab", "\t", "\t\t"};
  EXPECT_THAT(pairs_of(rebuild_merges(tokens), tokens), ElementsAre("\t \t", "a b"));
}

TEST(vocabulary_mistakes, P10_length_keys) {
  // Within one token the longer left half is better, whatever the ids.
  const std::vector<std::string> tokens = {"a", "aaa", "aa", "aaaa"};
  EXPECT_THAT(pairs_of(rebuild_merges(tokens), tokens),
              ElementsAre("aa a", "a aa", "a a", "aaa a", "aa aa", "a aaa"));
}

TEST(Vocabulary, RebuiltMergesOfTheSmallOneAreItsFiles) {
  const Vocabulary& small = small_tokenizer().vocabulary();
  EXPECT_EQ(small.tokens.size(), 618U);
  EXPECT_EQ(rebuild_merges(small.tokens), small.merges);
}

TEST(Vocabulary, TwentyFourControlLiteralsNoneAPrefixOfAnother) {  // RT-3
  const auto& literals = control_literals();
  EXPECT_EQ(literals.size(), 24U);
  EXPECT_EQ(std::set<std::string>(literals.begin(), literals.end()).size(), 24U);
  for (const std::string& a : literals) {
    for (const std::string& b : literals) {
      EXPECT_TRUE(a == b || !b.starts_with(a)) << a << " " << b;
    }
  }
}

TEST(Vocabulary, ControlTokensAreFoundByTheirText) {
  const auto added = control_tokens({"x", "<bos>", "</s>", "<unused0>", "<|turn>"});
  ASSERT_EQ(added.size(), 2U);
  EXPECT_EQ(added[0].id, 1);
  EXPECT_EQ(added[1].text, "<|turn>");
}

TEST(Vocabulary, GivesWhatEachMergeMakes) {
  const Vocabulary vocabulary = vocabulary_of({"a", "b", "ab"});
  EXPECT_THAT(check_vocabulary(vocabulary, TokenIds(vocabulary.tokens)), ElementsAre(2));
}

TEST(Vocabulary, RefusesWhatContradictsItself) {
  EXPECT_THAT(check_error(vocabulary_of({})), HasSubstr("v: got 0 tokens, expected 1 to"));
  EXPECT_THAT(check_error(vocabulary_of({"a", ""})), HasSubstr("v: token 1: got 0 bytes"));
  EXPECT_THAT(check_error(vocabulary_of({std::string(kMaxTokenBytes + 1, 'x')})),
              HasSubstr("got 257 bytes, expected 1 to 256"));
  EXPECT_THAT(check_error(vocabulary_of({"a", "\xFF"})), HasSubstr("v: token 1: byte 0: got 0xff"));
  EXPECT_THAT(check_error(vocabulary_of({"a", "b", "a"})),
              HasSubstr("v: token 2: got 'a' again, expected it once (token 0)"));

  Vocabulary vocabulary = vocabulary_of({"a", "b"});
  vocabulary.merges = {{0, 1}};
  EXPECT_THAT(check_error(vocabulary), HasSubstr("v: merge 0: got 'ab', expected a token"));
  vocabulary.merges = {{0, 2}};
  EXPECT_THAT(check_error(vocabulary), HasSubstr("v: merge 0: got an id outside"));
  vocabulary.merges = {{-1, 0}};
  EXPECT_THAT(check_error(vocabulary), HasSubstr("v: merge 0: got an id outside"));
  vocabulary.merges.clear();
  vocabulary.added = {{1, "a"}};
  EXPECT_THAT(check_error(vocabulary), HasSubstr("added token 'a': got id 1"));
  vocabulary.added = {{-1, "nowhere"}};
  EXPECT_THAT(check_error(vocabulary), HasSubstr("added token 'nowhere': got id -1"));
}

}  // namespace
}  // namespace assay
