// SPDX-License-Identifier: Apache-2.0
// tokenize, prompt and parse as their users meet them, and the goldens of what lies around the
// network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/records/dump.h"
#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kGolden = source_dir() + "/golden/";
const std::string kCheckpoint = kGolden + "checkpoints/e2b-chat-tiny";
const std::string kTokenizer = " --checkpoint " + kCheckpoint + " ";

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(parse_json(line, "test"));
  }
  return lines;
}

// The answers to lines that lie in a file.
Outcome with_lines(const std::string& arguments, const std::string& lines) {
  const TestDirectory directory;
  return run(arguments + " " + directory.write("cases.jsonl", lines).string());
}

Json only_line(const Outcome& outcome) {
  const auto lines = lines_of(outcome.text);
  EXPECT_EQ(lines.size(), 1) << outcome.text;
  return lines.empty() ? Json() : lines.front();
}

void expect_refused(const Outcome& outcome, const std::string& expected) {
  EXPECT_EQ(outcome.status, 2) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("assay: "), HasSubstr(expected)));
}

constexpr const char* kWords =
    R"({"id": 1, "text": "Hello <|image|> there"}
{"id": "two", "text": ""}

{"id": [3], "text": " \u00e9\u6f22\ud83d\ude00\n\n"}
)";

TEST(TokenizeCommand, AnswersFilesAndPipesAlike) {
  const TestDirectory directory;
  const std::string path = directory.write("cases.jsonl", kWords).string();
  const Outcome from_file = run("tokenize" + kTokenizer + path);
  EXPECT_EQ(from_file.status, 0);
  EXPECT_EQ(run("tokenize" + kTokenizer + "< " + path).text, from_file.text);
  EXPECT_EQ(run("tokenize" + kTokenizer + "- < " + path).text, from_file.text);
  EXPECT_EQ(run("tokenize --vocab " + kCheckpoint + "/tokenizer.json " + path).text,
            from_file.text);
  const auto lines = lines_of(from_file.text);
  ASSERT_EQ(lines.size(), 3);
  EXPECT_EQ(lines[0]["id"], 1);
  EXPECT_EQ(lines[1]["id"], "two");
  EXPECT_EQ(lines[1]["ids"], Json::Array{});
  EXPECT_EQ(lines[2]["id"], Json::Array{3});
}

TEST(TokenizeCommand, DecodesWhatItEncoded) {
  const Outcome there = with_lines("tokenize" + kTokenizer, kWords);
  const auto back = lines_of(with_lines("tokenize --decode" + kTokenizer, there.text).text);
  ASSERT_EQ(back.size(), 3);
  EXPECT_EQ(back[0]["text"], "Hello <|image|> there");
  EXPECT_EQ(back[1]["text"], "");
  EXPECT_EQ(back[2]["text"], " \u00e9\u6f22\U0001f600\n\n");
}

TEST(TokenizeCommand, PlainTextHasNoControlTokens) {
  const std::string line = R"({"id": 1, "text": "a<|image|>b"})";
  const Json control = only_line(with_lines("tokenize" + kTokenizer, line));
  const Json plain = only_line(with_lines("tokenize --plain" + kTokenizer, line));
  EXPECT_LT(control["ids"].size(), plain["ids"].size());
  const std::string without = "tokenize --decode --skip-control" + kTokenizer;
  EXPECT_EQ(only_line(with_lines(without, json_text(control)))["text"], "ab");
  EXPECT_EQ(only_line(with_lines(without, json_text(plain)))["text"], "a<|image|>b");
}

TEST(TokenizeCommand, NamesTheLineThatIsWrong) {
  const std::string good = R"({"id": 1, "text": "a"})";
  const Outcome outcome = with_lines("tokenize" + kTokenizer, good + "\n\nnope\n" + good);
  expect_refused(outcome, "cases.jsonl:3: json: ");
  EXPECT_THAT(outcome.text, HasSubstr("\"ids\""));  // the line before it was answered
  expect_refused(with_lines("tokenize" + kTokenizer, good + "\n{\"id\": 2}"),
                 "cases.jsonl:2: text: got nothing");
  expect_refused(with_lines("tokenize" + kTokenizer, R"({"id": 2, "text": 5})"),
                 "cases.jsonl:1: text: got another type");
  expect_refused(with_lines("tokenize" + kTokenizer, "[1]"), "cases.jsonl:1: got a list");
  expect_refused(run("tokenize" + kTokenizer + "/nowhere.jsonl"), "/nowhere.jsonl: got nothing");
}

TEST(TokenizeCommand, RefusesIdsThatAreNone) {
  const std::string command = "tokenize --decode" + kTokenizer;
  expect_refused(with_lines(command, R"({"id": 1, "ids": [99999]})"),
                 "cases.jsonl:1: token id: got 99999");
  expect_refused(with_lines(command, R"({"id": 1, "ids": [2, -1]})"), "ids[1]: got -1");
  expect_refused(with_lines(command, R"({"id": 1, "ids": [1.5]})"), "ids[0]: got 1.5");
  expect_refused(with_lines(command, R"({"id": 1, "ids": "2"})"), "ids: got another type");
}

TEST(TokenizeCommand, NeedsATokenizer) {
  expect_refused(run("tokenize < /dev/null"), "got neither --checkpoint nor --vocab");
  expect_refused(run("tokenize --vocab /nowhere < /dev/null"), "/nowhere");
  expect_refused(run("tokenize --checkpoint " + kGolden + "checkpoints/e2b-tiny < /dev/null"),
                 "got no tokenizer.json");
}

TEST(PromptCommand, RendersAsTheOfficialTemplates) {
  const std::string path = kGolden + "prompting/renderings.jsonl";
  const auto expected = lines_of(contents(path));
  for (const std::string size : {"small", "large"}) {
    const Outcome outcome = run("prompt --template " + size + " " + path);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    const auto lines = lines_of(outcome.text);
    ASSERT_EQ(lines.size(), expected.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_EQ(lines[i]["id"], expected[i]["id"]);
      EXPECT_EQ(lines[i]["text"], expected[i][size]) << expected[i]["id"];
      EXPECT_FALSE(lines[i].contains("ids"));
    }
  }
}

TEST(PromptCommand, TheCheckpointChoosesTheTemplateAndGivesIds) {
  const std::string line = R"({"id": 1, "messages": [{"role": "user", "content": "Hi"}]})";
  const Json small = only_line(with_lines("prompt" + kTokenizer, line));
  const Json large =
      only_line(with_lines("prompt --checkpoint " + kGolden + "checkpoints/12b-chat-tiny", line));
  EXPECT_EQ(small["text"], "<bos><|turn>user\nHi<turn|>\n<|turn>model\n");
  EXPECT_EQ(large["text"], small["text"].get<std::string>() + "<|channel>thought\n<channel|>");
  EXPECT_EQ(small["ids"][0], 2);
  const std::string decode = "tokenize --decode" + kTokenizer;
  EXPECT_EQ(only_line(with_lines(decode, json_text(small)))["text"], small["text"]);
}

TEST(PromptCommand, RejectsWithAKindAndGoesOn) {
  const std::string call =
      R"({"id": 1, "messages": [{"role": "user", "content": "x"}, {"role": "assistant",)"
      R"( "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]})";
  const std::string good = R"({"id": 2, "messages": [{"role": "user", "content": "x"}]})";
  const Outcome outcome = with_lines("prompt --template small", call + "\n" + good + "\n");
  EXPECT_EQ(outcome.status, 1);
  const auto lines = lines_of(outcome.text);
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0]["error"]["kind"], "string_arguments");
  EXPECT_FALSE(lines[0].contains("text"));
  EXPECT_TRUE(lines[1].contains("text"));
  EXPECT_EQ(only_line(with_lines("prompt --template small", R"({"id": 1})"))["error"]["kind"],
            "missing");
}

TEST(PromptCommand, RefusesUnknownTemplates) {
  expect_refused(run("prompt --template huge < /dev/null"), "--template: got 'huge'");
}

constexpr const char* kTurn = R"(<|channel>thought\nhm<channel|>Hi)"
                              R"(<|tool_call>call:f{a:1,b:<|\"|>x<|\"|>}<tool_call|>)";

void expect_turn(const Json& answer) {
  EXPECT_EQ(answer["reasoning"], "hm");
  EXPECT_EQ(answer["content"], "Hi");
  ASSERT_EQ(answer["tool_calls"].size(), 1) << answer;
  EXPECT_EQ(answer["tool_calls"][0]["name"], "f");
  EXPECT_EQ(answer["tool_calls"][0]["arguments"], Json(Json::Object{{"a", 1}, {"b", "x"}}));
  EXPECT_EQ(answer["tool_calls"][0]["complete"], true);
  EXPECT_EQ(answer["thought_open"], false);
}

TEST(ParseCommand, ReadsTextAndIdsAlike) {
  const std::string line = std::string(R"({"id": 1, "text": ")") + kTurn + R"("})";
  const Json from_text = only_line(with_lines("parse", line));
  expect_turn(from_text);
  const Outcome ids = with_lines("tokenize" + kTokenizer, line);
  EXPECT_EQ(only_line(with_lines("parse" + kTokenizer, ids.text)), from_text);
  expect_refused(with_lines("parse", ids.text), "cases.jsonl:1: ids: got no tokenizer");
}

TEST(ParseCommand, StrictRepairsNothing) {
  // A quoted string as JSON has it, where the grammar has its own quotes.
  const std::string line = R"({"id": 1, "text": "<|tool_call>call:f{a:\"x\"}<tool_call|>"})";
  const Json lenient = only_line(with_lines("parse", line))["tool_calls"][0];
  EXPECT_EQ(lenient["name"], "f");
  EXPECT_FALSE(lenient["repairs"].array().empty());
  const Json strict = only_line(with_lines("parse --strict", line))["tool_calls"][0];
  EXPECT_TRUE(strict.contains("error"));
  EXPECT_FALSE(strict.contains("repairs"));
}

TEST(ParseCommand, ATurnMayBeginInAThought) {
  const std::string line = R"({"id": 1, "in_thought": true, "text": "hm<channel|>Hi"})";
  const Json answer = only_line(with_lines("parse", line));
  EXPECT_EQ(answer["reasoning"], "hm");
  EXPECT_EQ(answer["content"], "Hi");
}

TEST(ParseCommand, BoxesInPixelsOfTheImage) {  // RN-16
  const std::string text = R"("text": "```json\n[{\"box_2d\": [100, 500, 200, 700]}]\n```")";
  const Json answer =
      only_line(with_lines("parse", "{" + text + R"(, "width": 1906, "height": 1360})"));
  const Json box = answer["regions"]["boxes"][0];
  EXPECT_EQ(box["top"], 136.0);
  EXPECT_EQ(box["left"], 953.0);
  EXPECT_EQ(answer["regions"]["points"].size(), 0U);
  EXPECT_FALSE(only_line(with_lines("parse", "{" + text + "}")).contains("regions"));
  const std::string prose = R"({"text": "there", "width": 2, "height": 2})";
  EXPECT_TRUE(only_line(with_lines("parse", prose))["regions"].is_null());
  const Outcome refused = with_lines("parse", R"({"text": "", "width": -3, "height": 2})");
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.text, HasSubstr("width: got -3, expected pixels of an image"));
}

TEST(ParseCommand, NamesTheDeclaredToolThatACallMeans) {  // RN-9
  const std::string line =
      R"({"text": "<|tool_call>call:api.f{}<tool_call|>", "tools": [{"function": {"name": "f"}}]})";
  const Json call = only_line(with_lines("parse", line))["tool_calls"][0];
  EXPECT_EQ(call["name"], "api.f");
  EXPECT_EQ(call["tool"], "f");
}

TEST(TextGoldens, AreVerifiedAndCompared) {
  for (const std::string name : {"tokenizer", "template", "parser", "stop"}) {
    const TestDirectory directory;
    const std::string golden = kGolden + "cases/e2b-chat-tiny/" + name + ".h5 ";
    const Outcome verified = run("verify --case e2b-chat-tiny/" + name);
    EXPECT_EQ(verified.status, 0) << verified.text;
    EXPECT_THAT(verified.text, HasSubstr("2 pass, 0 fail"));
    const std::string dump = (directory.path() / "dump.h5").string();
    ASSERT_EQ(run("dump" + kTokenizer + "--case " + golden + "--out " + dump).status, 0);
    EXPECT_EQ(run("compare " + golden + dump).status, 0);
  }
}

TEST(TextGoldens, AChangedIdIsNamed) {
  const TestDirectory directory;
  const std::string golden = kGolden + "cases/e2b-chat-tiny/tokenizer.h5 ";
  const std::string honest = (directory.path() / "honest.h5").string();
  ASSERT_EQ(run("dump" + kTokenizer + "--case " + golden + "--out " + honest).status, 0);
  auto taps = conformance::read_dump(honest).taps;
  ASSERT_NE(taps.find("tok.14.ids"), nullptr);
  taps.find("tok.14.ids")->values.back() += 1;
  const std::string wrong = (directory.path() / "wrong.h5").string();
  conformance::write_dump(wrong, taps, {});
  const Outcome outcome = run("compare " + golden + wrong);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("tok.14.ids"));
}

}  // namespace
}  // namespace assay::program
