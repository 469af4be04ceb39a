// SPDX-License-Identifier: Apache-2.0
// What the template writes the parser reads back, as a property of generated calls.
#include "reference/family/testing/round_trip.h"

#include <gtest/gtest.h>

#include "reference/family/testing/choices.h"

namespace assay {
namespace {

constexpr std::size_t kCalls = 3000;
constexpr std::size_t kLongest = 120;  // choices

std::string problem_of(const std::vector<std::uint8_t>& row) {
  Choices choices(row);
  return round_trip_problem(generated_call(choices));
}

std::string shown(const std::vector<std::uint8_t>& row) {
  Choices choices(row);
  const GeneratedCall call = generated_call(choices);
  return json_text(call.name) + " " + json_text(call.arguments) + " written as " +
         json_text(written_call(call)) + ": " + round_trip_problem(call);
}

TEST(RoundTrip, WhatTheTemplateWritesTheParserReads) {  // RP-5, RN-5 to RN-9
  std::mt19937_64 random(7);
  std::size_t plain = 0;
  for (std::size_t i = 0; i < kCalls; ++i) {
    const auto row = random_choices(random, kLongest);
    Choices choices(row);
    plain += is_plain_call(generated_call(choices)) ? 1U : 0U;
    if (!problem_of(row).empty()) {
      const auto fails = [](const auto& candidate) { return !problem_of(candidate).empty(); };
      FAIL() << shown(shrunk(row, fails));
    }
  }
  EXPECT_GT(plain, kCalls / 20);      // the generator makes calls of the grammar,
  EXPECT_LT(plain, kCalls * 9 / 10);  // and others
}

TEST(RoundTrip, OfChosenCalls) {
  for (const char* arguments :
       {R"({})", R"({"a": {}, "b": [], "c": [[], {}], "d": null})",
        R"({"s": "<|\"| {a:1,b:<|} \u0000\u001f\u007f\u2028\ud83d\ude00"})",
        R"({"n": [0, -1, 2.0, 1e+20, 1.5e-07, -0.0, 123456789012345678901234567890]})",
        R"({"zip": "00501", "t": "true", "n": "null", "e": "", "w": " x\n"})",
        R"({"two words": {"k-e.y": [{"\u00e9": "call:f{}"}]}, "=": 1})"}) {
    const GeneratedCall call{"météo_à-la.v2:x", parse_json(arguments, "test", kChatRules)};
    EXPECT_EQ(round_trip_problem(call), "") << arguments;
    EXPECT_TRUE(is_plain_call(call)) << arguments;
  }
  EXPECT_EQ(
      round_trip_problem({"a\u2581b", parse_json(R"({"\u2581": "\u2581x"})", "test", kChatRules)}),
      "");
  for (const char* key : {"", ":", ",", "{", "}", "a:b", "a,b", " a ", "\"a\"", "[", "\n"}) {
    Json arguments{Json::Object{}};
    arguments[key] = 1;
    EXPECT_EQ(round_trip_problem({"my {tool}", arguments}), "") << key;
  }
}

// The calls that a text cannot tell apart are the reason why a tool is declared.
TEST(RoundTrip, OneTextOfTwoCalls) {
  const Json one = parse_json(R"({"a:1,b": 2})", "test", kChatRules);
  const Json two = parse_json(R"({"a": 1, "b": 2})", "test", kChatRules);
  EXPECT_EQ(written_call({"f", one}), written_call({"f", two}));
  EXPECT_FALSE(is_clear_call({"f", one}));
  EXPECT_EQ(round_trip_problem({"f", one}), "");
  EXPECT_EQ(round_trip_problem({"f", two}), "");
}

TEST(Shrinking, EndsAtASmallExample) {
  const auto fails = [](const std::vector<std::uint8_t>& row) {
    Choices choices(row);
    return json_text(generated_call(choices).arguments).find("key") != std::string::npos;
  };
  std::mt19937_64 random(11);
  auto row = random_choices(random, kLongest);
  while (!fails(row)) {
    row = random_choices(random, kLongest);
  }
  row = shrunk(row, fails);
  Choices choices(row);
  const std::string arguments = json_text(generated_call(choices).arguments);
  EXPECT_LE(arguments.size(), 16U) << arguments;  // {"key": null}, {"": "akey"}
}

}  // namespace
}  // namespace assay
