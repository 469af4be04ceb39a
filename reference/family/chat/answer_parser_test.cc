// SPDX-License-Identifier: Apache-2.0
// Model turns: thoughts, calls, content, stops.
#include "reference/family/chat/answer_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/chat/answer_reader.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kCall = "<|tool_call>call:f{a:1}<tool_call|>";

// By its tokens; the text must read the same.
Answer read(const std::string& text, bool in_thought = false) {
  AnswerOptions options;
  options.in_thought = in_thought;
  const Answer by_text = parse_answer_text(text, options);
  const Answer by_tokens = parse_answer(small_tokenizer(), small_tokenizer().encode(text), options);
  EXPECT_EQ(by_text.content, by_tokens.content) << text;
  EXPECT_EQ(by_text.thoughts, by_tokens.thoughts) << text;
  EXPECT_EQ(by_text.calls.size(), by_tokens.calls.size()) << text;
  EXPECT_EQ(by_text.stopped, by_tokens.stopped) << text;
  EXPECT_EQ(by_text.stray_tokens, by_tokens.stray_tokens) << text;
  return by_tokens;
}

TEST(Roles, OfLiterals) {  // RN-1
  EXPECT_EQ(role_of_literal("<|channel>"), TokenRole::kOpenThought);
  EXPECT_EQ(role_of_literal("<tool_call|>"), TokenRole::kCloseCall);
  EXPECT_EQ(role_of_literal("<|tool_response>"), TokenRole::kOpenResult);
  EXPECT_EQ(role_of_literal("<|\"|>"), TokenRole::kDelimiter);
  EXPECT_EQ(role_of_literal("<turn|>"), TokenRole::kStop);
  EXPECT_EQ(role_of_literal("<eos>"), TokenRole::kStop);
  EXPECT_EQ(role_of_literal("<|image|>"), TokenRole::kOther);
  EXPECT_EQ(role_of_literal("<bos>"), TokenRole::kOther);
  EXPECT_EQ(role_of_literal("</s>"), TokenRole::kText);
  EXPECT_EQ(role_of_literal("hello"), TokenRole::kText);
}

TEST(Answer, PlainContent) {
  const Answer answer = read("Hello </s> <unused0>\n\nworld<turn|>after");
  EXPECT_EQ(answer.content, "Hello </s> <unused0>\n\nworld");
  EXPECT_TRUE(answer.stopped);
  EXPECT_THAT(answer.thoughts, IsEmpty());
  EXPECT_FALSE(read("Hello").stopped);
}

TEST(Answer, ThoughtThenContent) {  // RN-2, RN-10
  const Answer answer = read("<|channel>thought\nplan\n<channel|>\n\nHi\n<turn|>");
  EXPECT_THAT(answer.thoughts, ElementsAre("plan\n"));
  EXPECT_EQ(answer.content, "Hi\n");
  EXPECT_FALSE(answer.thought_open);
}

TEST(Answer, AnEmptyThoughtIsEmptyNotAbsent) {
  for (const char* text : {"<|channel>thought\n<channel|>a", "<|channel>thought<channel|>a",
                           "<|channel>tho<channel|>a", "<|channel><channel|>a"}) {
    const Answer answer = read(text);
    EXPECT_THAT(answer.thoughts, ElementsAre("")) << text;
    EXPECT_EQ(answer.content, "a");
  }
}

TEST(Answer, SeveralThoughts) {  // RN-2
  const Answer answer =
      read("<|channel>thought\none<channel|>" + kCall + "<|channel>thought\ntwo<channel|>b");
  EXPECT_THAT(answer.thoughts, ElementsAre("one", "two"));
  EXPECT_EQ(answer.reasoning(), "onetwo");
  EXPECT_EQ(answer.content, "b");
  EXPECT_EQ(answer.calls.size(), 1U);
}

TEST(answer_mistakes, P46_label_left_in_or_taken_from_content) {
  EXPECT_THAT(read("<|channel>thought\nx<channel|>").thoughts, ElementsAre("x"));
  EXPECT_EQ(read("thought\nx<turn|>").content, "thought\nx");
  EXPECT_EQ(read("<|channel>thought\na<channel|>thought\nx").content, "thought\nx");
  EXPECT_THAT(read("<|channel>thought\nthought\nx<channel|>").thoughts, ElementsAre("thought\nx"));
  EXPECT_THAT(read("<|channel>thoughtful<channel|>").thoughts, ElementsAre("thoughtful"));
}

TEST(answer_mistakes, P47_open_thought_taken_for_content) {  // RN-3
  const Answer answer = read("abc<channel|>d", true);
  EXPECT_THAT(answer.thoughts, ElementsAre("abc"));
  EXPECT_EQ(answer.content, "d");
  EXPECT_THAT(read("thought\nx<channel|>", true).thoughts, ElementsAre("thought\nx"));
}

TEST(answer_mistakes, P48_unclosed_thought_as_content) {  // RN-4
  for (const char* text : {"<|channel>thought\nabc", "<|channel>thought\nabc<turn|>",
                           "<|channel>thought\nabc<|tool_response>"}) {
    const Answer answer = read(text);
    EXPECT_THAT(answer.thoughts, ElementsAre("abc")) << text;
    EXPECT_EQ(answer.content, "");
    EXPECT_TRUE(answer.thought_open);
  }
}

TEST(Answer, CallsInSequence) {  // RN-5
  const Answer answer = read(kCall + "<|tool_call>call:g{}<tool_call|><|tool_response>");
  ASSERT_EQ(answer.calls.size(), 2U);
  EXPECT_EQ(answer.calls[0].name, "f");
  EXPECT_EQ(answer.calls[1].name, "g");
  EXPECT_TRUE(answer.calls[0].complete);
  EXPECT_TRUE(answer.stopped);
  EXPECT_EQ(answer.content, "");
  EXPECT_EQ(answer.stray_tokens, 0U);
}

TEST(Answer, ContentAroundCalls) {  // RN-10
  const Answer answer = read("Let me see. " + kCall + " Done.<turn|>");
  EXPECT_EQ(answer.content, "Let me see.  Done.");
  EXPECT_EQ(answer.calls.size(), 1U);
}

TEST(Answer, StoppedInsideACall) {  // RN-5
  for (const char* text :
       {"<|tool_call>call:f{a:1}", "<|tool_call>call:f{a:1}<turn|>",
        "<|tool_call>call:f{a:1}<|tool_response>", "<|tool_call>call:f{a:1}<eos>"}) {
    const Answer answer = read(text);
    ASSERT_EQ(answer.calls.size(), 1U) << text;
    EXPECT_FALSE(answer.calls[0].complete);
    EXPECT_EQ(json_text(answer.calls[0].arguments), R"({"a": 1})");
  }
}

TEST(Answer, ABadCallDoesNotSwallowAGoodOne) {  // RN-12
  const Answer answer = read("<|tool_call>call:bad{a:<|\"|>" + kCall + "rest<turn|>");
  ASSERT_EQ(answer.calls.size(), 2U);
  EXPECT_FALSE(answer.calls[0].complete);
  EXPECT_EQ(answer.calls[1].name, "f");
  EXPECT_TRUE(answer.calls[1].error.empty());
  EXPECT_EQ(answer.content, "rest");
}

TEST(Answer, AnUnreadableCallSurfaces) {
  const Answer answer = read("<|tool_call>nonsense<tool_call|><turn|>");
  ASSERT_EQ(answer.calls.size(), 1U);
  EXPECT_THAT(answer.calls[0].error, HasSubstr("got no 'call:'"));
  EXPECT_EQ(answer.calls[0].raw, "nonsense");
}

TEST(Answer, NoiseAfterACallIsNoContent) {  // RN-11
  const Answer answer = read(kCall + "<tool_call|><tool_call|>x<tool_call|>");
  EXPECT_EQ(answer.content, "x");
  EXPECT_EQ(answer.stray_tokens, 1U);  // the last one
}

TEST(Answer, StrayTokensAreDroppedAndCounted) {
  const Answer answer = read("a<|\"|>b<channel|>c<|image|>d<tool_response|>e<bos>f<turn|>");
  EXPECT_EQ(answer.content, "abcdef");
  EXPECT_EQ(answer.stray_tokens, 5U);
}

TEST(Answer, LiteralsInsideACallBelongToIt) {
  const Answer answer = read("<|tool_call>call:f{a:<|\"|><|image|><|channel><|\"|>}<tool_call|>");
  ASSERT_EQ(answer.calls.size(), 1U);
  EXPECT_EQ(json_text(answer.calls[0].arguments), R"({"a": "<|image|><|channel>"})");
}

TEST(Answer, EveryStopToken) {  // P16, P17, P18
  for (const char* stop : {"<turn|>", "<eos>", "<|tool_response>"}) {
    EXPECT_TRUE(read(std::string("a") + stop + "b").stopped);
    EXPECT_EQ(read(std::string("a") + stop + "b").content, "a");
  }
  EXPECT_FALSE(read("a</s>b").stopped);
}

TEST(answer_mistakes, P42_control_tokens_stripped) {  // RN-1
  const std::string turn =
      "<|tool_call>call:book{b:true,n:-1.5,s:<|\"|>He said \"hi\" \\ {x:1}, ok\nnext<|\"|>,"
      "z:null}<tool_call|>";
  const std::string wanted =
      R"({"b": true, "n": -1.5, "s": "He said \"hi\" \\ {x:1}, ok\nnext", "z": null})";
  EXPECT_EQ(json_text(read(turn).calls.at(0).arguments), wanted);
  // What a decoder makes of it that leaves control tokens out is no call any more.
  const std::string bare = small_tokenizer().decode(small_tokenizer().encode(turn), true);
  EXPECT_THAT(parse_answer_text(bare).calls, IsEmpty());
}

TEST(AnswerErrors, TextMustBeUtf8) {
  EXPECT_THAT(error_of([] { parse_answer_text("a\xFF"); }), HasSubstr("got 0xff, expected UTF-8"));
  EXPECT_THAT(error_of([] { parse_answer_text("a\xC3"); }), HasSubstr("got 0xc3, expected UTF-8"));
  EXPECT_THAT(error_of([] { parse_answer(small_tokenizer(), Ids{618}); }), HasSubstr("got 618"));
}

}  // namespace
}  // namespace assay
