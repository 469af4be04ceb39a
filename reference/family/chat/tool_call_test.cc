// SPDX-License-Identifier: Apache-2.0
// The body of one call: the strict grammar, every repair alone, and what cannot be read.
#include "reference/family/chat/tool_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "reference/family/chat/call_grammar.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Json& tools() {
  static const Json declared = parse_json(R"([{"type": "function", "function": {"name": "note",
      "parameters": {"type": "object", "properties": {"text": {"type": "string"},
      "title": {"type": "STRING"}, "n": {"type": "integer"}}}}}])",
                                          "tools", kChatRules);
  return declared;
}

// @ stands for <|"|>.
ToolCall call(std::string body, bool lenient = true, const Json* declared = nullptr) {
  std::replace(body.begin(), body.end(), '@', kDelimiterByte);
  AnswerOptions options;
  options.lenient = lenient;
  options.tools = declared;
  return parse_tool_call(body, options);
}

std::string strict(const std::string& body) {
  const ToolCall read = call(body, false);
  return read.error.empty() ? read.name + " " + json_text(read.arguments) : read.error;
}

// The arguments, and after a bar the repairs.
std::string repaired(const std::string& body, const Json* declared = nullptr) {
  const ToolCall read = call(body, true, declared);
  std::string text = read.error.empty() ? json_text(read.arguments) : "error";
  for (const std::string& repair : read.repairs) {
    text += " | " + repair;
  }
  return text;
}

TEST(ToolCall, StrictGrammar) {  // RN-6
  EXPECT_EQ(strict("call:f{}"), "f {}");
  EXPECT_EQ(strict("call:f{a:@x@}"), R"(f {"a": "x"})");
  EXPECT_EQ(strict("call:f{a:1,b:-2.5,c:true,d:false,e:null}"),
            R"(f {"a": 1, "b": -2.5, "c": true, "d": false, "e": null})");
  EXPECT_EQ(strict("call:f{a:[],b:{},c:[1,[2],{k:@v@}],d:{e:{f:[@g@]}}}"),
            R"(f {"a": [], "b": {}, "c": [1, [2], {"k": "v"}], "d": {"e": {"f": ["g"]}}})");
  EXPECT_EQ(strict("call:f{two words:1,k-e.y:2}"), R"(f {"two words": 1, "k-e.y": 2})");
}

TEST(ToolCall, NumbersAsTheyWereMeant) {  // RN-8
  EXPECT_EQ(strict("call:f{a:[0,-0,007,3.0,1e3,1E-7,123456789012345678901234567890]}"),
            R"(f {"a": [0, -0.0, 7, 3.0, 1000.0, 1e-07, 123456789012345678901234567890]})");
  for (const char* word : {"1.", ".5", "1e", "--1", "+1", "0x10", "1e+", "1.e3", "Infinity"}) {
    EXPECT_THAT(strict("call:f{a:" + std::string(word) + "}"), HasSubstr("the word")) << word;
  }
  EXPECT_EQ(strict("call:f{a:1e999}"), R"(f {"a": "1e999"})");
}

TEST(ToolCall, WhiteSpaceAroundPunctuationIsTolerated) {  // RN-6
  EXPECT_EQ(strict(" call: f { a : 1 , b : [ 1 , @x@ ] , c : { } } \n"),
            R"(f {"a": 1, "b": [1, "x"], "c": {}})");
}

TEST(ToolCall, TheLaterOfEqualKeysCounts) {
  EXPECT_EQ(strict("call:f{a:1,b:2,a:3}"), R"(f {"a": 3, "b": 2})");
  EXPECT_EQ(strict("call:f{a:{k:1,k:2}}"), R"(f {"a": {"k": 2}})");
}

TEST(ToolCall, KeepsTheRawText) {
  EXPECT_EQ(call("call:f{a:@x@}").raw, "call:f{a:<|\"|>x<|\"|>}");
}

TEST(tool_call_mistakes, P43_strings_split_at_punctuation) {  // RN-7
  EXPECT_EQ(strict("call:f{a:@a, {b:1}@,c:@]},:@}"), R"(f {"a": "a, {b:1}", "c": "]},:"})");
}

TEST(tool_call_mistakes, P44_no_recursion) {
  EXPECT_EQ(strict("call:book{arr:[{A:1,k:@v@},[]],obj:{}}"),
            R"(book {"arr": [{"A": 1, "k": "v"}, []], "obj": {}})");
}

TEST(tool_call_mistakes, P45_backslashes_unescaped) {  // RN-7
  EXPECT_EQ(strict("call:f{p:@C:\\temp\\new@,q:@\\\"@}"),
            R"(f {"p": "C:\\temp\\new", "q": "\\\""})");
}

TEST(tool_call_mistakes, P49_names_of_word_characters_only) {  // RN-9
  EXPECT_EQ(strict("call:my-tool.v2{}"), "my-tool.v2 {}");
  EXPECT_EQ(strict("call:default_api:get_weather{}"), "default_api:get_weather {}");
}

TEST(ToolCall, NamesTheDeclaredTool) {  // RN-9
  EXPECT_EQ(call("call:note{}", true, &tools()).tool, "note");
  EXPECT_EQ(call("call:default_api:note{}", true, &tools()).tool, "note");
  EXPECT_EQ(call("call:default_api.note{}", true, &tools()).tool, "note");
  EXPECT_EQ(call("call:other{}", true, &tools()).tool, "");
  EXPECT_EQ(call("call:default_api.note{}", true, &tools()).name, "default_api.note");
  EXPECT_EQ(call("call:note{}").tool, "");
}

TEST(Repairs, EachAlone) {  // RN-12
  EXPECT_EQ(repaired("call:f{a:\"x\"}"), R"({"a": "x"} | other quotes)");
  EXPECT_EQ(repaired("call:f{a:'x',b:`y`}"), R"({"a": "x", "b": "y"} | other quotes)");
  EXPECT_EQ(repaired("call:f{\"a\": \"x\", \"n\": 3}"), R"({"a": "x", "n": 3} | other quotes)");
  EXPECT_EQ(repaired("call:f{\"n\": 3}"), R"({"n": 3} | other quotes)");
  EXPECT_EQ(repaired("call:f{a:\"C:\\new, {x}\\\"\"}"),
            R"({"a": "C:\\new, {x}\""} | other quotes)");
  EXPECT_EQ(repaired("call:f{a:Null,b:x}"),
            R"({"a": null, "b": "x"} | nil or none as null | bare word as string)");
  EXPECT_EQ(repaired("call:f{a:nil,b:None}"), R"({"a": null, "b": null} | nil or none as null)");
  EXPECT_EQ(repaired("call:f{a=1,b = @x@}"), R"({"a": 1, "b": "x"} | = for :)");
  EXPECT_EQ(repaired("call:f{a:1 b:@x@ c:[1 2]}"),
            R"({"a": 1, "b": "x", "c": [1, 2]} | missing comma)");
  EXPECT_EQ(repaired("call:f{a:1"), R"({"a": 1} | missing closing brace)");
  EXPECT_EQ(repaired("call:f{a:{b:@x@}"), R"({"a": {"b": "x"}} | missing closing brace)");
  EXPECT_EQ(repaired("call:f{a:1}};"), R"({"a": 1} | text after the arguments)");
  EXPECT_EQ(repaired(":f{a:1}"), R"({"a": 1} | missing word call)");
  EXPECT_EQ(repaired("f{a:1}"), R"({"a": 1} | missing word call)");
  EXPECT_EQ(repaired("call:f(a: 1, b: @x@)"), R"({"a": 1, "b": "x"} | parentheses for braces)");
  EXPECT_EQ(repaired("call:f{day:monday}"), R"({"day": "monday"} | bare word as string)");
  EXPECT_EQ(repaired("call:f{day:2026-04-02,at:12:30}"),
            R"({"day": "2026-04-02", "at": "12:30"} | bare word as string)");
  EXPECT_EQ(repaired("call:f{@a@:1}"), R"({"a": 1} | key in string delimiters)");
}

TEST(Repairs, OneDelimiterMissing) {
  const std::string flag = " | one string delimiter missing";
  EXPECT_EQ(repaired("call:f{a:@monday}"), R"({"a": "monday"})" + flag);
  EXPECT_EQ(repaired("call:f{a:monday@}"), R"({"a": "monday"})" + flag);
  EXPECT_EQ(repaired("call:f{a:15@,b:1}"), R"({"a": "15", "b": 1})" + flag);
  EXPECT_EQ(repaired("call:f{a:@x,b:@y@}"), R"({"a": "x", "b": "y"})" + flag);
  EXPECT_EQ(repaired("call:f{a:@x@,b:@y}"), R"({"a": "x", "b": "y"})" + flag);
}

TEST(Repairs, RawTextAsTheLastString) {
  const std::string flag = " | raw text as last string";
  EXPECT_EQ(repaired("call:note{n:1,text:well, yes: {it} is}", &tools()),
            R"({"n": 1, "text": "well, yes: {it} is"})" + flag);
  EXPECT_EQ(repaired("call:note{text:say @hi@ to, all}", &tools()),
            R"({"text": "say <|\"|>hi<|\"|> to, all"})" + flag);
  EXPECT_EQ(repaired("call:api.note(title: a, b, c)", &tools()),
            R"({"title": "a, b, c"} | parentheses for braces)" + flag);
  // Not the last: the tool declares the key after it.
  EXPECT_EQ(repaired("call:note{title:New York,text:big}", &tools()),
            R"({"title": "New York", "text": "big"} | bare word as string)");
  // No string, or no such tool.
  EXPECT_EQ(repaired("call:note{n:a, b}", &tools()), "error");
  EXPECT_EQ(repaired("call:other{text:a, b}", &tools()), "error");
  EXPECT_EQ(repaired("call:note{text:a, b}"), "error");
}

TEST(Repairs, Together) {  // RN-12
  EXPECT_EQ(repaired("f(a='x' b=nil)"),
            R"({"a": "x", "b": null} | other quotes | nil or none as null | = for : | )"
            "missing comma | missing word call | parentheses for braces");
  EXPECT_EQ(repaired("call:f{a:x b:y}"), R"({"a": "x", "b": "y"} | missing comma | )"
                                         "bare word as string");
  EXPECT_EQ(repaired("call:f{a:'x'"), R"({"a": "x"} | other quotes | missing closing brace)");
}

TEST(Repairs, AreNotMadeWhereTheGrammarHolds) {
  EXPECT_THAT(call("call:f{a=b:1,c:@'nil'@}").repairs, IsEmpty());
  EXPECT_EQ(repaired("call:f{a=b:1,c:@'nil'@}"), R"({"a=b": 1, "c": "'nil'"})");
}

TEST(Repairs, AreNotMadeWhenStrict) {
  for (const char* body : {"call:f{a:\"x\"}", "call:f{a:nil}", "call:f{a=1}", "call:f{a:1 b:2}",
                           "call:f{a:1", "call:f{a:1}}", ":f{}", "call:f(a:1)", "call:f{a:@x}",
                           "call:f{a:x@}", "call:f{a:x}", "call:f{\"a\":1}"}) {
    const ToolCall read = call(body, false, &tools());
    EXPECT_FALSE(read.error.empty()) << body;
    EXPECT_THAT(read.repairs, IsEmpty());
    EXPECT_EQ(json_text(read.arguments), "{}");
  }
}

TEST(ToolCallErrors, SayWhereTheyStoppedReading) {
  EXPECT_EQ(strict(""), "got no 'call:' at byte 0");
  EXPECT_EQ(strict("call:{}"), "got no name at byte 5");
  EXPECT_EQ(strict("call:f"), "got the end at byte 6");
  EXPECT_EQ(strict("call:f[1]"), "got '[' instead of '{' at byte 6");
  EXPECT_EQ(strict("call:f{:1}"), "got no key at byte 7");
  EXPECT_EQ(strict("call:f{a}"), "got '}' instead of ':' at byte 8");
  EXPECT_EQ(strict("call:f{a:}"), "got no value at byte 9");
  EXPECT_EQ(strict("call:f{a:1,}"), "got no key at byte 11");
  EXPECT_EQ(strict("call:f{a:[1}"), "got '}' after a value at byte 11");
  EXPECT_EQ(strict("call:f{a:1} x"), "got text after the arguments at byte 12");
  EXPECT_EQ(strict("call:f{a:@x}"), "got a string without its end at byte 10");
}

TEST(ToolCallErrors, ShowWholeCharacters) {
  EXPECT_EQ(strict("call:f{a:1é}"), "got the word '1é' at byte 12");
  EXPECT_EQ(strict("call:f{a:[1]é}"), "got 'é' after a value at byte 12");
  EXPECT_EQ(strict("call:f{a:@x@@y@}"), "got '<|\"|>' after a value at byte 12");
}

TEST(ToolCallErrors, WhatNoRepairMends) {
  for (const char* body : {"", "nonsense", "call:f{a:}", "call:f{:}", "call:f{a:[1}", "{}",
                           "call:f{a:1,}", "call:f{,}", "call:", "call:f{a:'x}"}) {
    EXPECT_FALSE(call(body).error.empty()) << body;
    EXPECT_EQ(json_text(call(body).arguments), "{}");
  }
}

TEST(ToolCallErrors, DepthIsLimited) {
  const auto nested = [](int depth) {
    return "call:f{a:" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  EXPECT_THAT(strict(nested(63)), HasSubstr("f {"));
  EXPECT_THAT(strict(nested(64)), HasSubstr("more than 64 levels"));
  EXPECT_FALSE(call(nested(100000)).error.empty());
}

TEST(RepairNames, AreAllDifferent) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kRepairs; ++i) {
    names.insert(repair_name(static_cast<Repair>(i)));
  }
  EXPECT_EQ(names.size(), kRepairs);
}

}  // namespace
}  // namespace assay
