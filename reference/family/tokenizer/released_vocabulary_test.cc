// SPDX-License-Identifier: Apache-2.0
// The released vocabulary, where it is at hand: ASSAY_VOCABULARY names it, or it lies beside the
// project. It is not committed. With ASSAY_GGUF the vocabulary inside a GGUF file is held to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

class ReleasedVocabulary : public testing::Test {
 protected:
  void SetUp() override {
    if (released_vocabulary_file().empty()) {
      GTEST_SKIP() << "no released vocabulary: ASSAY_VOCABULARY names none";
    }
  }

  static const Tokenizer& tokenizer() {
    static const Tokenizer released(read_any_tokenizer(released_vocabulary_file()));
    return released;
  }

  static const std::vector<std::string>& tokens() { return tokenizer().vocabulary().tokens; }
};

double seconds_of(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  return best;
}

TEST_F(ReleasedVocabulary, HasItsSizes) {  // RT-1
  EXPECT_EQ(tokens().size(), 262144U);
  EXPECT_EQ(tokenizer().vocabulary().merges.size(), 514906U);
  EXPECT_EQ(tokenizer().vocabulary().added.size(), 24U);
}

std::uint32_t crc32_of(const std::vector<std::string>& parts) {
  std::uint32_t crc = 0;
  const std::uint8_t nul = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    crc = i == 0 ? crc : lzma_crc32(&nul, 1, crc);
    crc = lzma_crc32(reinterpret_cast<const std::uint8_t*>(parts[i].data()), parts[i].size(), crc);
  }
  return crc;
}

// The sha256 of both stand in scripts/golden/small_vocabulary_test.py, with the same CRC.
TEST_F(ReleasedVocabulary, P10_merges_in_their_published_order) {
  const Json table = golden_json("tables/released_tokens.json");
  EXPECT_EQ(crc32_of(tokens()), table["tokens_crc32"].get<std::uint32_t>());
  std::vector<std::string> halves;
  for (const auto& [left, right] : tokenizer().vocabulary().merges) {
    halves.push_back(tokenizer().token(left));
    halves.push_back(tokenizer().token(right));
  }
  EXPECT_EQ(crc32_of(halves), table["merges_crc32"].get<std::uint32_t>());
}

TEST_F(ReleasedVocabulary, HasItsLayout) {  // RT-2
  for (std::int32_t id = 107; id <= 137; ++id) {
    EXPECT_EQ(tokenizer().token(id), std::string(static_cast<std::size_t>(id - 106), '\n'));
  }
  EXPECT_EQ(tokenizer().token(138), std::string(kSpaceSymbol) + std::string(kSpaceSymbol));
  EXPECT_EQ(tokenizer().token(212), "</s>");
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(tokenizer().byte_of(238 + byte), byte);
  }
  EXPECT_EQ(tokenizer().token(494), std::string(kSpaceSymbol) + "t");
  EXPECT_EQ(tokenizer().token(236743), kSpaceSymbol);
  EXPECT_EQ(tokenizer().token(255968), "\t");
  EXPECT_EQ(tokenizer().token(256000), "<|audio>");
  EXPECT_EQ(tokenizer().token(262143), "<unused6226>");
}

// No token mixes LINE FEED with others, and the longest has 93 bytes.
TEST_F(ReleasedVocabulary, KeepsItsPromises) {
  std::size_t longest = 0;
  for (const std::string& token : tokens()) {
    longest = std::max(longest, token.size());
    if (token.find('\n') != std::string::npos) {
      EXPECT_EQ(token.find_first_not_of('\n'), std::string::npos) << token;
    }
  }
  EXPECT_EQ(longest, 93U);
}

TEST_F(ReleasedVocabulary, EncodesAndDecodesThePrintedVectors) {  // RT-5 to RT-13
  const Json table = golden_json("tables/released_tokens.json");
  for (const Json& row : table["encode"]) {
    EXPECT_EQ(tokenizer().encode(row[0].get<std::string>()), row[1].get<Ids>()) << row[0];
  }
  for (const Json& row : table["decode"]) {
    EXPECT_EQ(tokenizer().decode(row[0].get<Ids>()), row[1].get<std::string>()) << row[0];
  }
}

TEST_F(ReleasedVocabulary, P09_runs_of_line_feeds) {
  EXPECT_EQ(tokenizer().encode(std::string(33, '\n')), (Ids{137, 108}));
  EXPECT_EQ(tokenizer().encode(std::string(32, '\n')), (Ids{137, 107}));
  EXPECT_EQ(tokenizer().encode(std::string(40, 'x')), Ids(5, 130987));
}

TEST_F(ReleasedVocabulary, P15_control_literal_between_spaces) {
  EXPECT_EQ(tokenizer().encode("before <|image|> after"), (Ids{15849, 236743, 258880, 1308}));
}

// The bars are one second for a megabyte and 0.2 s for one word of 100 kB; a loaded
// machine is allowed three times as much.
TEST_F(ReleasedVocabulary, IsFast) {
  std::mt19937 random(3);
  std::string text;
  std::string word;
  while (text.size() < 1000000) {
    text += "The quick brown fox {jumps} over 12 lazy dogs; ";
  }
  for (int i = 0; i < 100000; ++i) {
    word += static_cast<char>('a' + random() % 26);
  }
  EXPECT_LT(seconds_of([&] { tokenizer().encode(text); }), 3.0);
  EXPECT_LT(seconds_of([&] { tokenizer().encode(word); }), 0.6);
  EXPECT_LT(seconds_of([&] { tokenizer().encode(std::string(100000, 'x')); }), 0.6);
}

TEST_F(ReleasedVocabulary, TheOneInsideAGgufFileIsTheSame) {
  const char* file = std::getenv("ASSAY_GGUF");
  if (file == nullptr) {
    GTEST_SKIP() << "no GGUF file: ASSAY_GGUF names none";
  }
  const Vocabulary gguf = read_gguf_tokenizer(file);
  EXPECT_EQ(gguf.tokens, tokens());
  EXPECT_EQ(gguf.merges, tokenizer().vocabulary().merges);
  EXPECT_EQ(gguf.added.size(), 24U);
}

}  // namespace
}  // namespace assay
