// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/chat/prompt_error.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_requests.h"

namespace assay {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr auto kSmall = TemplateVariant::kSmall;
constexpr auto kLarge = TemplateVariant::kLarge;
const std::string kClosedThought = "<|channel>thought\n<channel|>";

// A conversation of these messages, given as JSON objects.
std::string chat(const std::string& messages, const std::string& more = "") {
  return small(R"({"messages": [)" + messages + "]" + (more.empty() ? "" : ", " + more) + "}");
}

const std::string kUser = R"({"role": "user", "content": "q"})";
const std::string kOpening = "<bos><|turn>user\nq<turn|>\n<|turn>model\n";

std::string call(const std::string& fields) {
  return R"({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}], )" +
         fields + "}";
}

std::pair<PromptErrorKind, std::string> rejection(const std::string& json) {
  try {
    small(json);
  } catch (const PromptError& error) {
    return {error.kind(), error.what()};
  }
  return {PromptErrorKind::kMissing, "no error"};
}

class Renderings : public testing::TestWithParam<std::string> {};

TEST_P(Renderings, AreThoseOfTheOfficialTemplate) {  // RP-1 to RP-19
  const Json& one = rendering(GetParam());
  EXPECT_EQ(rendered(GetParam(), kSmall), one.find("small")->string());
  EXPECT_EQ(rendered(GetParam(), kLarge), one.find("large")->string());
}

std::vector<std::string> rendering_ids() {
  std::vector<std::string> ids;
  for (const Json& one : renderings()) {
    ids.push_back(one.find("id")->string());
  }
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Spec27, Renderings, testing::ValuesIn(rendering_ids()),
                         [](const auto& one) { return one.param; });

TEST(ChatTemplate, AllTwentySixAreThere) {
  EXPECT_EQ(renderings().size(), 26U);
}

// Random conversations that the official template rendered; not committed.
TEST(ChatTemplate, RendersTheRandomConversations) {
  const auto file =
      std::filesystem::path(source_dir()).parent_path() / "shared/data/chat/renderings.jsonl";
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << "no random conversations beside the project";
  }
  for (const Json& one : lines_of(file)) {
    const Json& wanted = *one.find("rendered");
    EXPECT_EQ(render_chat(one, kSmall), wanted.find("small")->string());
    EXPECT_EQ(render_chat(one, kLarge), wanted.find("large")->string());
  }
}

TEST(chat_template_mistakes, P19_system_text_in_the_user_turn) {  // RP-1
  EXPECT_THAT(rendered("C03", kSmall), HasSubstr("<|turn>system\nYou are a helpful assistant."));
}

TEST(chat_template_mistakes, P20_think_switch_elsewhere) {
  EXPECT_THAT(rendered("C02", kSmall), HasSubstr("<bos><|turn>system\n<|think|>\n<turn|>\n"));
}

TEST(chat_template_mistakes, P21_empty_thought_for_small_models) {  // RP-12
  EXPECT_THAT(rendered("C01", kSmall), EndsWith("<|turn>model\n"));
}

TEST(chat_template_mistakes, P22_no_empty_thought_for_large_models) {  // RP-12
  EXPECT_THAT(rendered("C01", kLarge), EndsWith("<|turn>model\n" + kClosedThought));
}

TEST(chat_template_mistakes, P23_empty_thought_after_results) {  // RP-11
  EXPECT_EQ(rendered("C15", kLarge), rendered("C15", kSmall));
  EXPECT_THAT(rendered("C15", kLarge), EndsWith("<tool_response|>"));
}

TEST(chat_template_mistakes, P24_thoughts_of_the_history_kept) {  // RP-4, RP-8
  EXPECT_THAT(rendered("C05", kSmall), Not(HasSubstr("plan")));
  EXPECT_THAT(rendered("C20", kSmall), Not(HasSubstr("old")));
}

TEST(chat_template_mistakes, P25_thoughts_of_the_tool_loop_dropped) {
  EXPECT_THAT(rendered("C20", kSmall), HasSubstr("<|channel>thought\nneed tool\n<channel|>"));
}

TEST(chat_template_mistakes, P26_no_newline_between_turns) {  // RP-3
  EXPECT_THAT(rendered("C05", kSmall), HasSubstr("<turn|>\n<|turn>model\nHello!<turn|>\n<|turn>"));
}

TEST(chat_template_mistakes, P27_trimming) {  // RP-2, RP-8
  EXPECT_EQ(chat(R"({"role": "user", "content": " \u00a0a  b\n"})"),
            "<bos><|turn>user\na  b<turn|>\n<|turn>model\n");
  EXPECT_THAT(rendered("C07", kSmall), HasSubstr("You are terse. <turn|>"));
}

TEST(chat_template_mistakes, P28_something_between_the_parts) {  // RP-9
  EXPECT_THAT(rendered("C10", kSmall),
              HasSubstr("Compare<|image|><|image|>and<|audio|><|video|><turn|>"));
}

TEST(chat_template_mistakes, P29_tools_as_json) {
  EXPECT_THAT(rendered("C11", kSmall), HasSubstr("<|tool>declaration:get_weather{description:"));
}

TEST(chat_template_mistakes, P37_results_parsed) {  // RP-7
  EXPECT_THAT(rendered("C15", kSmall), HasSubstr("{value:<|\"|>{\"temp\": 15}<|\"|>}"));
}

TEST(chat_template_mistakes, P38_results_in_a_turn_of_their_own) {  // RP-6
  EXPECT_THAT(rendered("C18", kSmall), Not(HasSubstr("<|turn>tool")));
}

TEST(chat_template_mistakes, P39_a_second_turn_for_the_answer) {  // RP-3, RP-10
  EXPECT_THAT(rendered("C19", kSmall), HasSubstr("<tool_response|>It is 15.<turn|>"));
}

TEST(chat_template_mistakes, P40_unanswered_calls_without_an_opener) {  // RP-10
  EXPECT_THAT(rendered("C14", kSmall), EndsWith("<tool_call|><|tool_response>"));
}

TEST(chat_template_mistakes, P41_generation_prompt_after_results) {  // RP-11
  EXPECT_THAT(rendered("C18", kSmall), EndsWith("<tool_response|>"));
}

TEST(ChatTemplate, RepeatsTheOfficialOddities) {
  // A text after results closes the turn, and no new one is opened.
  EXPECT_THAT(rendered("C22", kSmall), EndsWith("Let me check.<turn|>\n"));
  EXPECT_THAT(rendered("C23", kSmall), EndsWith("<turn|>\n<|channel>thought\n"));
  // Results without a value are an empty list, results without a name unknown.
  EXPECT_EQ(chat(kUser + R"(, {"role": "assistant", "tool_responses": [{}]})"),
            kOpening + "<|tool_response>response:unknown{value:[]}<tool_response|>");
  // Where neither has an id, the last call gives the name.
  EXPECT_THAT(chat(R"({"role": "assistant", "tool_calls": [
                       {"function": {"name": "f", "arguments": {}}},
                       {"function": {"name": "g", "arguments": null}}]},
                      {"role": "tool", "name": "h", "content": "1"})"),
              HasSubstr("<|tool_response>response:g{value:"));
  // A media part of a system message leaves its space only.
  EXPECT_EQ(chat(R"({"role": "system", "content": [{"type": "image"}]})"),
            "<bos><|turn>system\n <turn|>\n<|turn>model\n");
}

TEST(ChatTemplate, NamesOfResults) {  // RP-6
  const std::string calls = R"({"role": "assistant", "tool_calls": [
      {"id": "a", "function": {"name": "f", "arguments": {}}},
      {"id": "b", "function": {"name": "g", "arguments": {}}}]}, )";
  EXPECT_THAT(chat(calls + R"({"role": "tool", "tool_call_id": "a", "content": null})"),
              HasSubstr("response:f{value:null}"));
  EXPECT_THAT(chat(calls + R"({"role": "tool", "tool_call_id": "x", "name": "n", "content": []})"),
              HasSubstr("response:n{value:<|\"|><|\"|>}"));
  EXPECT_THAT(chat(calls + R"({"role": "tool", "tool_call_id": "x", "content": 3})"),
              HasSubstr("response:unknown{value:3}"));
}

TEST(ChatTemplate, ToolMessagesWithoutACallAreDropped) {
  EXPECT_EQ(chat(R"({"role": "tool", "content": "x"}, )" + kUser), kOpening);
  EXPECT_EQ(chat(kUser + R"(, {"role": "tool", "content": "x"})"), kOpening);
}

TEST(ChatTemplate, LaterSystemMessagesAreOrdinaryTurns) {  // RP-2
  EXPECT_EQ(chat(kUser + R"(, {"role": "system", "content": " s "})"),
            "<bos><|turn>user\nq<turn|>\n<|turn>system\ns<turn|>\n<|turn>model\n");
}

TEST(ChatTemplate, PreservedThoughtsNeedACall) {  // RP-4
  const std::string old = R"({"role": "assistant", "content": "a", "reasoning": "r"}, )" + kUser;
  EXPECT_THAT(chat(old, R"("preserve_thinking": true)"), Not(HasSubstr("thought")));
  const std::string called = call(R"("content": null, "reasoning": "r")") + ", " + kUser;
  EXPECT_THAT(chat(called, R"("preserve_thinking": true)"),
              HasSubstr("<|channel>thought\nr\n<channel|><|tool_call>"));
  EXPECT_THAT(chat(called), Not(HasSubstr("thought")));
}

TEST(ChatTemplate, NullOptionsAreOff) {
  EXPECT_EQ(chat(kUser, R"("add_generation_prompt": null)"), "<bos><|turn>user\nq<turn|>\n");
  EXPECT_EQ(chat(kUser, R"("tools": null, "enable_thinking": null)"), kOpening);
}

TEST(StripThinking, PieceByPiece) {  // RP-8
  EXPECT_EQ(strip_thinking("a<|channel>x<channel|>b"), "ab");
  EXPECT_EQ(strip_thinking(" a<|channel>x"), "a");
  EXPECT_EQ(strip_thinking("x<channel|>b "), "xb");
  EXPECT_EQ(strip_thinking("<|channel>1<channel|>a<|channel>2<channel|>b"), "ab");
  EXPECT_EQ(strip_thinking("<|channel>1<|channel>2<channel|>a"), "a");
  EXPECT_EQ(strip_thinking(""), "");
}

TEST(TemplateGeneration, ByTheirMarks) {  // RP-20
  EXPECT_EQ(template_generation("{{ '<start_of_turn>' + role }}"), "unknown");
  EXPECT_EQ(template_generation("{{ '<|turn>' }}{% macro strip_thinking(t) %}"), "V1");
  EXPECT_EQ(template_generation("{{ '<|turn>' }}{% if message.get('reasoning') %}"), "V2");
  EXPECT_EQ(template_generation("{% set preserve_thinking = 1 %}{{ '<|turn>' }} reasoning"), "V3");
}

TEST(ChatTemplateErrors, NameTheMessage) {
  using Kind = PromptErrorKind;
  const std::vector<std::tuple<std::string, Kind, std::string>> cases = {
      {R"({})", Kind::kMissing, "messages: got none, expected a list"},
      {R"({"messages": 3})", Kind::kMissing, "messages: got none"},
      {R"({"messages": [3]})", Kind::kWrongType, "messages[0]: got another type"},
      {R"({"messages": [{"content": "a"}]})", Kind::kMissing, "messages[0]: role: got none"},
      {R"({"messages": [{"role": "user", "content": {"a": 1}}]})", Kind::kWrongType,
       "messages[0]: content: got a mapping"},
      {R"({"messages": [{"role": "user", "content": ["a"]}]})", Kind::kWrongType,
       "messages[0]: content: got a part of another type"},
      {R"({"messages": [{"role": "system", "content": ["a"]}]})", Kind::kWrongType,
       "messages[0]: content: got a part"},
      {R"({"messages": [{"role": "assistant", "content": [{"type": "text"}]}]})", Kind::kMissing,
       "messages[0]: content: text: got none"},
      {R"({"messages": [{"role": "system", "content": "s"},
           {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]})",
       Kind::kStringArguments, "messages[1]: tool_calls: arguments: got a string"},
      {R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}]})",
       Kind::kMissing, "tool_calls: arguments: got none"},
      {R"({"messages": [{"role": "assistant",
           "tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}]})",
       Kind::kWrongType, "tool_calls: arguments: got another type"},
      {R"({"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": {}}}]}]})",
       Kind::kMissing, "tool_calls: function: name: got none"},
      {R"({"messages": [{"role": "assistant", "tool_calls": {"a": 1}}]})", Kind::kWrongType,
       "tool_calls: got another type"},
      {R"({"messages": [{"role": "assistant", "tool_responses": "x"}]})", Kind::kWrongType,
       "tool_responses: got another type"},
      {R"({"messages": [{"role": "assistant", "reasoning": 3}]})", Kind::kWrongType,
       "reasoning: got another type"},
      {R"({"messages": [], "tools": {"a": 1}})", Kind::kWrongType, "tools: got another type"},
  };
  for (const auto& [json, kind, message] : cases) {
    const auto got = rejection(json);
    EXPECT_THAT(got.second, HasSubstr(message)) << json;
    EXPECT_EQ(got.first, kind) << json;
  }
}

TEST(ChatTemplateErrors, OfToolMessages) {
  for (const char* content : {R"({"a": 1})", R"(["a"])", R"([{"type": "text"}])"}) {
    const std::string json = R"({"messages": [)" + call(R"("content": "")") +
                             R"(, {"role": "tool", "content": )" + content + "}]}";
    EXPECT_THAT(rejection(json).second, HasSubstr("messages[0]: content: ")) << content;
  }
}

}  // namespace
}  // namespace assay
