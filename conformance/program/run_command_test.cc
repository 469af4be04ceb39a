// SPDX-License-Identifier: Apache-2.0
// assay run as its users meet it. The tiny checkpoints answer nonsense, but always the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "conformance/testing/test_program.h"
#include "reference/family/base/json.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"

namespace assay::program {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kGolden = source_dir() + "/golden/";
const std::string kCheckpoints = kGolden + "checkpoints/";
const std::string kSmall = kCheckpoints + "e2b-chat-tiny";
const std::string kLarge = kCheckpoints + "12b-chat-tiny";
const std::string kDrafter = " --drafter " + kCheckpoints + "e2b-chat-tiny-drafter";
const std::string kMedia = kGolden + "media/";

Outcome run_small(const std::string& arguments) {
  return run("run --checkpoint " + kSmall + " " + arguments);
}

Json answer_of(const std::string& checkpoint, const std::string& arguments) {
  const Outcome outcome = run("run --checkpoint " + checkpoint + " --json " + arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  const Json answer = parse_json(outcome.text, "answer");
  EXPECT_TRUE(answer.is_object()) << outcome.text;
  return answer;
}

void expect_refused(const Outcome& outcome, const std::string& expected) {
  EXPECT_EQ(outcome.status, 2) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(StartsWith("assay: "), HasSubstr(expected)));
  EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
}

TEST(RunCommand, JsonHasEverything) {
  const Json answer = answer_of(kSmall, "--greedy --max-tokens 6 Hello");
  EXPECT_EQ(answer["prompt"], "<bos><|turn>user\nHello<turn|>\n<|turn>model\n");
  EXPECT_EQ(answer["prompt_ids"][0], 2);
  ASSERT_EQ(answer["ids"].size(), 6);
  ASSERT_EQ(answer["log_probabilities"].size(), 6);
  for (const Json& value : answer["log_probabilities"]) {
    EXPECT_LT(value.get<double>(), 0);
    EXPECT_GT(value.get<double>(), -60);
  }
  EXPECT_EQ(answer["finish_reason"], "length");
  EXPECT_TRUE(answer["tool_calls"].is_array());
  EXPECT_TRUE(answer["content"].is_string());
  EXPECT_GT(answer["timings"]["prefill_seconds"].get<double>(), 0);
  EXPECT_GT(answer["timings"]["decode_seconds"].get<double>(), 0);
  EXPECT_FALSE(answer.contains("speculation"));
}

TEST(RunCommand, GreedyIsTheSameWithADrafter) {
  const Json plain = answer_of(kSmall, "--greedy --max-tokens 24 Hello");
  for (const std::string steps : {"1", "4", "7"}) {
    const Json answer =
        answer_of(kSmall, "--greedy --max-tokens 24 --draft-steps " + steps + kDrafter + " Hello");
    EXPECT_EQ(answer["ids"], plain["ids"]);
    EXPECT_EQ(answer["content"], plain["content"]);
    const Json& speculation = answer["speculation"];
    EXPECT_GT(speculation["drafted"].get<int>(), 0);
    EXPECT_NEAR(speculation["acceptance_rate"].get<double>(),
                speculation["accepted"].get<double>() / speculation["drafted"].get<double>(),
                1e-12);
  }
  EXPECT_THAT(run_small("--greedy --max-tokens 6" + kDrafter + " Hello").text,
              HasSubstr("drafts: "));
}

TEST(RunCommand, PrecisionsAgreeGreedily) {
  for (const std::string& checkpoint : {kSmall, kLarge}) {
    EXPECT_EQ(answer_of(checkpoint, "--greedy --max-tokens 8 --precision f64 Hello")["ids"],
              answer_of(checkpoint, "--greedy --max-tokens 8 --precision f32 Hello")["ids"]);
  }
}

TEST(RunCommand, GreedyIsTemperatureZero) {
  const Json greedy = answer_of(kSmall, "--greedy --max-tokens 12 Hello");
  EXPECT_EQ(answer_of(kSmall, "--temperature 0 --seed 5 --max-tokens 12 Hello")["ids"],
            greedy["ids"]);
  EXPECT_EQ(answer_of(kSmall, "--top-k 1 --seed 5 --max-tokens 12 Hello")["ids"], greedy["ids"]);
}

TEST(RunCommand, ASeedDecidesTheAnswer) {
  for (const std::string& drafter : {std::string(), kDrafter}) {
    const std::string rest = " --max-tokens 12 Hello" + drafter;
    const Json first = answer_of(kSmall, "--seed 3" + rest);
    EXPECT_EQ(answer_of(kSmall, "--seed 3" + rest)["ids"], first["ids"]);
    EXPECT_NE(answer_of(kSmall, "--seed 4" + rest)["ids"], first["ids"]);
  }
}

// How often a token stands in a prompt.
std::ptrdiff_t count_of(const Json& answer, int id) {
  const Json& ids = answer["prompt_ids"];
  return std::count(ids.begin(), ids.end(), Json(id));
}

TEST(RunCommand, AnImageIsSeen) {
  for (const std::string& checkpoint : {kSmall, kLarge}) {
    const std::string see = "--greedy --max-tokens 4 See --image ";
    const Json one = answer_of(checkpoint, see + kMedia + "one-pixel.png");
    EXPECT_THAT(one["prompt"].get<std::string>(), HasSubstr("user\n<|image|>See<turn|>"));
    EXPECT_GT(count_of(one, 613), 50);
    const Json other = answer_of(checkpoint, see + kMedia + "photo.png");
    EXPECT_NE(other["log_probabilities"], one["log_probabilities"]);
    const Json two =
        answer_of(checkpoint, see + kMedia + "one-pixel.png --image " + kMedia + "one-pixel.png");
    EXPECT_EQ(count_of(two, 613), 2 * count_of(one, 613));
  }
}

TEST(RunCommand, AnAudioClipIsHeard) {
  for (const std::string& checkpoint : {kSmall, kLarge}) {
    const std::string hear = "--greedy --max-tokens 4 Hear --audio " + kMedia;
    const Json tone = answer_of(checkpoint, hear + "tone.wav");
    EXPECT_GT(count_of(tone, 614), 5);
    EXPECT_NE(answer_of(checkpoint, hear + "speech.wav")["log_probabilities"],
              tone["log_probabilities"]);
  }
}

TEST(RunCommand, AVideoIsSeen) {
  const std::string see = "--json --greedy --max-tokens 4 --frames 2 See --video " + kMedia;
  const Outcome outcome = run_small(see + "moving-silent.mkv");
  if (outcome.text.find("ASSAY_VIDEO") != std::string::npos) {
    GTEST_SKIP() << "built without video";
  }
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const auto seen = count_of(parse_json(outcome.text, "test"), 617);
  EXPECT_GT(seen, 2 * 30);
  // Of its three seconds one frame each: half as many again.
  const std::string by_rate = "--json --greedy --max-tokens 4 --fps 1 See --video " + kMedia;
  const Outcome rated = run_small(by_rate + "moving-silent.mkv");
  ASSERT_EQ(rated.status, 0) << rated.text;
  EXPECT_EQ(2 * count_of(parse_json(rated.text, "test"), 617), 3 * seen);
  EXPECT_THAT(run_small("See --fps 1000 --video " + kMedia + "moving-silent.mkv").text,
              HasSubstr("frames per second: got 1000"));
}

constexpr const char* kWeather =
    R"([{"type": "function", "function": {"name": "weather", "description": "The weather.",)"
    R"( "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])";

TEST(RunCommand, ToolsThinkingAndASystemMessage) {
  const TestDirectory directory;
  const std::string tools = directory.write("tools.json", kWeather).string();
  const Json answer = answer_of(
      kSmall, "--greedy --max-tokens 4 --think --system 'Be brief.' --tools " + tools + " Hi");
  EXPECT_THAT(answer["prompt"].get<std::string>(),
              StartsWith("<bos><|turn>system\n<|think|>\nBe brief.<|tool>declaration:weather{"));
  EXPECT_TRUE(answer["tool_calls"].is_array());
  const std::string thought = "<|channel>thought\n<channel|>";
  EXPECT_THAT(answer_of(kLarge, "--max-tokens 1 Hi")["prompt"].get<std::string>(),
              HasSubstr(thought));
  EXPECT_THAT(answer_of(kLarge, "--max-tokens 1 --think Hi")["prompt"].get<std::string>(),
              Not(HasSubstr(thought)));
}

TEST(RunCommand, RawIsThePromptAndNothingElse) {
  EXPECT_EQ(answer_of(kSmall, "--greedy --max-tokens 1 --raw Hello")["prompt"], "Hello");
}

TEST(RunCommand, APipeIsAConversation) {
  const TestDirectory directory;
  const std::string lines = directory.write("turns.txt", "Hello\n\nthere\n").string();
  const Outcome outcome = run_small("--json --greedy --max-tokens 3 < " + lines);
  EXPECT_EQ(outcome.status, 0);
  std::istringstream in(outcome.text);
  std::vector<std::string> prompts;
  for (std::string line; std::getline(in, line);) {
    prompts.push_back(parse_json(line, "test")["prompt"].string());
  }
  ASSERT_EQ(prompts.size(), 2) << outcome.text;
  EXPECT_THAT(prompts[0], HasSubstr("user\nHello<turn|>"));
  EXPECT_THAT(prompts[1], StartsWith(prompts[0]));
  EXPECT_THAT(prompts[1], HasSubstr("<|turn>user\nthere<turn|>"));
  const Outcome shown = run_small("--greedy --max-tokens 3 < " + lines);
  EXPECT_EQ(shown.status, 0);
  EXPECT_THAT(shown.text, Not(HasSubstr("> ")));
}

std::vector<Json> answers_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<Json> answers;
  for (std::string line; std::getline(in, line);) {
    answers.push_back(parse_json(line, "answer"));
  }
  return answers;
}

TEST(RunCommand, MessagesAreAConversationWithTools) {
  const TestDirectory directory;
  const std::string file =
      directory
          .write("chat.jsonl",
                 R"({"role": "user", "content": "Weather?"})"
                 "\n"
                 R"({"role": "assistant", "content": "", "tool_calls": [{"id": "c", "function": )"
                 R"({"name": "weather", "arguments": {"city": "Paris"}}}]})"
                 "\n"
                 R"({"role": "tool", "tool_call_id": "c", "content": {"temp": 15, "sky": "clear"}})"
                 "\n\n"
                 R"({"role": "user", "content": "Thanks"})"
                 "\n")
          .string();
  const Outcome outcome = run_small("--json --greedy --max-tokens 2 --messages " + file);
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const auto answers = answers_of(outcome.text);
  ASSERT_EQ(answers.size(), 3) << outcome.text;
  EXPECT_THAT(answers[1]["prompt"].string(),
              EndsWith("<|turn>model\n" + answers[0]["content"].string() +
                       "<|tool_call>call:weather{city:<|\"|>Paris<|\"|>}<tool_call|>"
                       "<|tool_response>response:weather{sky:<|\"|>clear<|\"|>,temp:15}"
                       "<tool_response|>"));
  EXPECT_THAT(answers[2]["prompt"].string(), StartsWith(answers[1]["prompt"].string()));
  EXPECT_THAT(answers[2]["prompt"].string(), HasSubstr("<|turn>user\nThanks<turn|>"));
  const Outcome piped = run_small("--json --greedy --max-tokens 2 --messages - < " + file);
  EXPECT_EQ(answers_of(piped.text).at(2)["prompt"], answers[2]["prompt"]);
}

TEST(RunCommand, AMessageThatCannotBeUsedIsNamed) {
  const TestDirectory directory;
  const auto refused = [&](const std::string& lines, const std::string& expected) {
    const std::string file = directory.write("chat.jsonl", lines).string();
    const Outcome outcome = run_small("--max-tokens 1 --messages " + file);
    EXPECT_EQ(outcome.status, 2) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("chat.jsonl:" + expected));
  };
  refused("{\n", "1: message: json: ");
  refused("[]\n", "1: message: got []");
  refused(R"({"role": "tool", "name": "f", "content": "x"})", "1: result: got one of 'f'");
  refused(R"({"role": "user", "content": {"a": 1}})", "1: messages[0]: content: got a mapping");
  expect_refused(run_small("--messages /nowhere.jsonl"), "/nowhere.jsonl: got nothing to read");
  const std::string lines = directory.write("lines.txt", "/tool weather {}\n").string();
  expect_refused(run_small("< " + lines), "standard input:1: result: got one of 'weather'");
  const std::string bare = directory.write("bare.txt", "/tool\n").string();
  expect_refused(run_small("< " + bare), "expected /tool NAME RESULT");
}

// A copy of a checkpoint whose answers hold these tokens only.
std::string only_saying(const TestDirectory& directory, const std::vector<std::string>& texts) {
  const std::string copy = (directory.path() / "checkpoint").string();
  std::filesystem::copy(kSmall, copy);
  std::vector<int> allowed;
  for (const std::string& text : texts) {
    const std::string line = json_text(Json::Object{{"id", 0}, {"text", text}});
    const std::string path = directory.write("line.jsonl", line).string();
    const Json ids =
        parse_json(run("tokenize --checkpoint " + kSmall + " " + path).text, "test")["ids"];
    EXPECT_EQ(ids.size(), 1) << text;
    allowed.push_back(ids[0].get<int>());
  }
  Json::Array suppressed;
  for (int id = 0; id < 618; ++id) {
    if (std::ranges::find(allowed, id) == allowed.end()) {
      suppressed.emplace_back(id);
    }
  }
  std::filesystem::remove(copy + "/generation_config.json");
  std::ofstream(copy + "/generation_config.json")
      << Json(Json::Object{{"suppress_tokens", suppressed}});
  return copy;
}

TEST(RunCommand, CheckJsonIsTheExitStatus) {
  const TestDirectory directory;
  const std::string digit = only_saying(directory, {"7"});
  const Outcome is_json = run("run --checkpoint " + digit + " --check-json --max-tokens 2 x");
  EXPECT_EQ(is_json.status, 0) << is_json.text;
  EXPECT_EQ(is_json.text, "77\n");
  std::filesystem::remove_all(digit);
  const std::string brace = only_saying(directory, {"{"});
  const Outcome is_none = run("run --checkpoint " + brace + " --check-json --max-tokens 2 x");
  EXPECT_EQ(is_none.status, 1);
  EXPECT_THAT(is_none.text, HasSubstr("assay: answer: json: "));
  EXPECT_EQ(run("run --checkpoint " + brace + " --max-tokens 2 x").status, 0);
}

TEST(RunCommand, TheEndOfATurnStops) {
  const TestDirectory directory;
  const std::string path = only_saying(directory, {"<turn|>"});
  for (const std::string& drafter : {std::string(), kDrafter}) {
    const Json answer = answer_of(path, "x" + drafter);
    EXPECT_EQ(answer["ids"], Json::Array{16});
    EXPECT_EQ(answer["log_probabilities"].size(), 1);
    EXPECT_EQ(answer["content"], "");
    EXPECT_EQ(answer["finish_reason"], "stop");
    EXPECT_EQ(answer["stopped"], true);
  }
}

TEST(RunCommand, AToolCallIsShownAndStops) {
  const TestDirectory directory;
  const std::string path = only_saying(directory, {"<|tool_response>"});
  EXPECT_EQ(answer_of(path, "x")["finish_reason"], "stop");
}

// Answers of four tokens, all equally likely: some seed says <|tool_call>a{<tool_call|>, a call
// that cannot be read but has a name. On the machine where this was written it is 53.
TEST(RunCommand, AToolLineAnswersTheModelsOwnCall) {
  const TestDirectory directory;
  const std::string path = only_saying(directory, {"<|tool_call>", "a", "{", "<tool_call|>"});
  const std::string user = directory.write("user.txt", "x\n").string();
  const std::string lines =
      directory.write("lines.txt", "x\n/tool a {\"b\": [1, null]}\n//tool y\n").string();
  for (int seed = 53; seed < 400; ++seed) {
    const std::string options =
        "run --json --max-tokens 4 --temperature 1000 --top-k 0 --top-p 1 --checkpoint " + path +
        " --seed " + std::to_string(seed);
    const Json first = answers_of(run(options + " < " + user).text).at(0);
    if (first["tool_calls"].size() != 1 || !first["tool_calls"][0].contains("id")) {
      continue;
    }
    EXPECT_EQ(first["tool_calls"][0]["name"], "a");
    EXPECT_EQ(first["tool_calls"][0]["id"], "call_1");
    const auto answers = answers_of(run(options + " < " + lines).text);
    ASSERT_EQ(answers.size(), 3);
    EXPECT_THAT(answers[1]["prompt"].string(),
                EndsWith("<|tool_call>call:a{}<tool_call|><|tool_response>response:a{b:[1,null]}"
                         "<tool_response|>"));
    EXPECT_THAT(answers[2]["prompt"].string(), HasSubstr("<|turn>user\n/tool y<turn|>"));
    return;
  }
  FAIL() << "no seed makes a call";
}

TEST(RunCommand, PlaceholdersCannotBeTyped) {
  expect_refused(run_small("'a<|image|>b'"), "kind image");
  expect_refused(run_small("'<|audio|>' --image " + kMedia + "one-pixel.png"), "kind audio");
}

TEST(RunCommand, WhatDoesNotFitIsRefused) {
  expect_refused(run("run --checkpoint " + kCheckpoints + "e2b-tiny x"), "got no tokenizer.json");
  expect_refused(run("run --checkpoint /nowhere x"), "/nowhere");
  expect_refused(run_small("--drafter " + kCheckpoints + "31b-tiny-drafter x"), "drafter: ");
  expect_refused(run_small("--drafter /nowhere x"), "/nowhere");
  expect_refused(run_small("--image /nowhere.png x"), "/nowhere.png");
  expect_refused(run_small("--image " + kGolden + "README.md x"), "expected PNG, JPEG, WebP");
  expect_refused(run_small("--audio " + kMedia + "photo.png x"), "expected WAV, FLAC, AIFF");
  expect_refused(run_small("--tools /nowhere.json x"), "/nowhere.json");
  const TestDirectory directory;
  const std::string tools = directory.write("tools.json", "{}").string();
  expect_refused(run_small("--tools " + tools + " x"), "expected a list of tools");
}

TEST(RunCommand, OptionsOutOfRangeAreRefused) {
  expect_refused(run_small("--temperature -1 x"), "temperature: got -1");
  expect_refused(run_small("--top-p 0 x"), "top_p: got 0");
  expect_refused(run_small("--max-tokens 0 x"), "--max-tokens");
  expect_refused(run_small("--precision f7 x"), "--precision: got 'f7'");
  expect_refused(run_small("--template huge x"), "--template: got 'huge'");
  expect_refused(run_small("--budget 71 x"), "--budget");
}

}  // namespace
}  // namespace assay::program
