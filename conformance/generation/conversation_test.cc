// SPDX-License-Identifier: Apache-2.0
// The history of a conversation: what the model wrote stands in the next prompt as it wrote it.
#include "conformance/generation/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/chat/answer_reader.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_vocabulary.h"

namespace assay::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kWeather = "<|tool_call>call:weather{city:<|\"|>Paris<|\"|>}<tool_call|>";

struct Chat {
  explicit Chat(bool think = false, TemplateVariant variant = TemplateVariant::kSmall) {
    options.think = think;
    conversation.emplace(options, small_tokenizer(), variant);
    conversation->add_user("Weather?");
  }
  // The model writes this turn.
  std::vector<std::string> says(const std::string& turn) {
    AnswerOptions how;
    how.in_thought = conversation->opens_thought();
    return conversation->add_answer(parse_answer_text(turn, how));
  }

  ConversationOptions options;
  std::optional<Conversation> conversation;
};

// The turns that a model writes, without what stands in front of them in the prompt. The sequence
// of the session goes on: the next prompt begins with all of it.
TEST(Conversation, TheNextPromptBeginsWithWhatTheModelWrote) {
  for (const std::string& turn :
       {kWeather + "<|tool_response>", kWeather + kWeather + "<|tool_response>",
        "Let me see." + kWeather + "<|tool_response>",
        "<|channel>thought\nit asks\n<channel|>" + kWeather + "<|tool_response>",
        "<|channel>thought\nit\n\n asks\n<channel|>A moment." + kWeather + "<|tool_response>"}) {
    Chat chat(true);
    const std::string before = chat.conversation->text();
    chat.says(turn);
    EXPECT_EQ(chat.conversation->text(), before + turn) << turn;
    EXPECT_FALSE(chat.conversation->awaits_answer());
    while (!chat.conversation->unanswered().empty()) {
      chat.conversation->add_result("weather", Json(Json::Object{{"temp", 15}}));
    }
    const std::string with_results = chat.conversation->text();
    EXPECT_TRUE(with_results.starts_with(before + turn + "response:weather{temp:15}"))
        << with_results;
    EXPECT_TRUE(with_results.ends_with("<tool_response|><|channel>thought\n")) << with_results;
    EXPECT_TRUE(chat.conversation->awaits_answer());
    EXPECT_TRUE(chat.conversation->opens_thought());
    chat.says("it is warm\n<channel|>15 degrees.<turn|>");
    EXPECT_EQ(chat.conversation->text(),
              with_results + "it is warm\n<channel|>15 degrees.<turn|>\n<|turn>model\n");
  }
}

TEST(Conversation, ThoughtsOfEarlierTurnsAreDropped) {
  Chat chat(true);
  chat.says("<|channel>thought\nsecret\n<channel|>Yes.<turn|>");
  EXPECT_THAT(chat.conversation->text(), HasSubstr("<|channel>thought\nsecret\n<channel|>Yes."));
  chat.conversation->add_user("Why?");
  EXPECT_THAT(chat.conversation->text(), testing::Not(HasSubstr("secret")));
  EXPECT_THAT(chat.conversation->text(), HasSubstr("<|turn>model\nYes.<turn|>\n<|turn>user\nWhy?"));
}

TEST(Conversation, ResultsGoToTheirCallsInTheOrderOfTheCalls) {
  Chat chat;
  const auto ids = chat.says(
      "<|tool_call>call:a{}<tool_call|><|tool_call>call:b{}<tool_call|>"
      "<|tool_call>call:a{x:1}<tool_call|><|tool_response>");
  EXPECT_THAT(ids, ElementsAre("call_1", "call_2", "call_3"));
  Conversation& conversation = *chat.conversation;
  EXPECT_THAT(conversation.unanswered(), ElementsAre("a", "b", "a"));
  conversation.add_result("call_3", Json("third"));
  conversation.add_result("b", Json(Json::Array{1, "two"}));
  EXPECT_FALSE(conversation.awaits_answer());
  conversation.add_result("a", Json());
  EXPECT_TRUE(conversation.awaits_answer());
  EXPECT_THAT(conversation.text(),
              HasSubstr("<|tool_response>response:a{value:null}<tool_response|>"
                        "<|tool_response>response:b{value:[1,<|\"|>two<|\"|>]}<tool_response|>"
                        "<|tool_response>response:a{value:<|\"|>third<|\"|>}<tool_response|>"));
  EXPECT_EQ(error_of([&] { conversation.add_result("a", Json(1)); }),
            "result: got one of 'a', expected one of a tool that was called: none waits");
  EXPECT_THAT(chat.says("<|tool_call>call:c{}<tool_call|>"), ElementsAre("call_4"));
  EXPECT_EQ(error_of([&] { conversation.add_result("a", Json(1)); }),
            "result: got one of 'a', expected one of c");
}

TEST(Conversation, ACallThatCannotBeReadIsAnsweredByItsName) {
  Chat chat;
  EXPECT_THAT(chat.says("<|tool_call>call:ping<tool_call|><|tool_call>nonsense<tool_call|>"
                        "<|tool_call>call:half{a:1"),
              ElementsAre("call_1", "", ""));
  EXPECT_THAT(chat.conversation->unanswered(), ElementsAre("ping"));
  chat.conversation->add_result("ping", Json("error: no arguments"));
  EXPECT_THAT(chat.conversation->text(),
              HasSubstr("<|tool_call>call:ping{}<tool_call|><|tool_response>response:ping{value:"));
}

TEST(Conversation, MessagesAsTheTemplateTakesThem) {
  Chat chat;
  Conversation& conversation = *chat.conversation;
  const auto add = [&](const char* text) {
    conversation.add_message(parse_json(text, "test", kChatRules));
  };
  add(R"({"role": "assistant", "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": {}}}]})");
  EXPECT_THAT(conversation.unanswered(), ElementsAre("f"));
  add(R"({"role": "tool", "tool_call_id": "x", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})");
  EXPECT_THAT(conversation.text(), HasSubstr("response:f{value:<|\"|>ab<|\"|>}"));
  EXPECT_TRUE(conversation.awaits_answer());
  add(R"({"role": "assistant", "content": "Done."})");
  EXPECT_FALSE(conversation.awaits_answer());
  EXPECT_THAT(conversation.unanswered(), IsEmpty());
  add(R"({"role": "user", "content": [{"type": "text", "text": "More"}]})");
  EXPECT_TRUE(conversation.awaits_answer());
  EXPECT_THAT(conversation.text(), HasSubstr("Done.<turn|>\n<|turn>user\nMore<turn|>"));
  for (const char* bad : {"1", "{}", R"({"role": 1})", R"({"role": "tool", "content": "x"})"}) {
    EXPECT_NE(error_of([&] { add(bad); }), "") << bad;
  }
}

}  // namespace
}  // namespace assay::conformance
