// SPDX-License-Identifier: Apache-2.0
// However a turn is cut, the pieces add up to the whole (spec prompting 2.8.6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "reference/family/chat/answer_reader.h"
#include "reference/family/testing/test_streams.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

const std::vector<std::string>& turns() {
  static const std::vector<std::string> all = {
      "",
      "Hello world",
      "Hello é 😀 日本<turn|>",
      "a < b <| c <|tool d <|tool_call e <turn| > <",
      "<|channel>thought\nplan é\n<channel|>\n\nHi 😀<turn|>",
      "<|channel>thought\n<channel|><|channel>th",
      "<|channel>thou<channel|>x",
      "<|channel>thinking\nhard<channel|>x",
      "<|tool_call>call:f{a:<|\"|>é, {b:1}<|\"|>,n:[1,{k:null}]}<tool_call|><|tool_response>x",
      "a<|tool_call>call:f{a:'x' b=1<tool_call|>b<|tool_call>bad<|tool_call>call:g{}",
      "x<tool_call|>y<|\"|>z<channel|><bos><|image|>\u2581<unused0></s><eos>more",
      "<|channel>thought\none<|tool_call>call:f{}<tool_call|><|channel>thought\ntwo"};
  return all;
}

Answer expect_pieces(const std::vector<std::string>& pieces, AnswerOptions options) {
  AnswerTextReader reader(options);
  JoinedEvents joined;
  for (const std::string& piece : pieces) {
    joined.add(reader.push(piece));
  }
  joined.add(reader.finish());
  EXPECT_EQ(joined.difference(reader.answer()), "");
  return reader.answer();
}

class Streaming : public testing::TestWithParam<bool> {};

TEST_P(Streaming, TokenByToken) {  // RN-13
  AnswerOptions options;
  options.in_thought = GetParam();
  for (const std::string& turn : turns()) {
    const Ids ids = small_tokenizer().encode(turn);
    AnswerReader reader(small_tokenizer(), options);
    JoinedEvents joined;
    for (const std::int32_t id : ids) {
      joined.add(reader.push(id));
    }
    joined.add(reader.finish());
    EXPECT_EQ(joined.difference(reader.answer()), "") << turn;
    EXPECT_TRUE(same(reader.answer(), parse_answer(small_tokenizer(), ids, options)));
    EXPECT_TRUE(same(reader.answer(), parse_answer_text(small_tokenizer().decode(ids), options)))
        << turn;
  }
}

TEST_P(Streaming, ByteByByteAndInPiecesOfEverySize) {  // RN-13
  AnswerOptions options;
  options.in_thought = GetParam();
  std::mt19937 random(17);
  for (const std::string& turn : turns()) {
    const Answer whole = parse_answer_text(turn, options);
    for (std::size_t size = 1; size <= turn.size() + 1; ++size) {
      std::vector<std::string> pieces;
      for (std::size_t at = 0; at < turn.size(); at += size) {
        pieces.push_back(turn.substr(at, size));
      }
      EXPECT_TRUE(same(expect_pieces(pieces, options), whole)) << turn << " by " << size;
    }
    for (int round = 0; round < 50; ++round) {
      std::vector<std::string> pieces;
      for (std::size_t at = 0, size = 0; at < turn.size(); at += size) {
        size = random() % 9;
        pieces.push_back(turn.substr(at, size));
      }
      EXPECT_TRUE(same(expect_pieces(pieces, options), whole)) << turn;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(InThought, Streaming, testing::Bool());

TEST(StreamingHoldsBack, LiteralsNamesAndCharacters) {  // RN-13
  AnswerTextReader reader;
  const auto texts = [&](std::string_view piece) {
    std::string all;
    for (const AnswerEvent& event : reader.push(piece)) {
      all += event.text;
    }
    return all;
  };
  EXPECT_EQ(texts("a<|chan"), "a");
  EXPECT_EQ(texts("nel"), "");
  EXPECT_EQ(texts(">thou"), "");
  EXPECT_EQ(texts("ght"), "");
  EXPECT_EQ(texts("\nplan \xF0\x9F"), "plan ");
  EXPECT_EQ(texts("\x98\x80<chan"), "\U0001F600");
  EXPECT_EQ(texts("nel|>\n"), "");
  EXPECT_EQ(texts("\nb<tur"), "b");
  EXPECT_EQ(texts("tle"), "<turtle");
}

}  // namespace
}  // namespace assay
