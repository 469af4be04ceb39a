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

std::string strict(const std::string& body, const Json* declared = nullptr) {
  const ToolCall read = call(body, false, declared);
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
            R"(f {"a": [0, -0.0, "007", 3.0, 1000.0, 1e-07, 123456789012345678901234567890]})");
  for (const char* word : {"1.", ".5", "1e", "--1", "+1", "0x10", "1e+", "1.e3", "Infinity"}) {
    EXPECT_THAT(strict("call:f{a:" + std::string(word) + "}"), HasSubstr("the word")) << word;
  }
  EXPECT_EQ(strict("call:f{a:1e999}"), R"(f {"a": "1e999"})");
}

// What prints otherwise than it stood is told.
TEST(ToolCall, ANumberThatChangesIsTold) {  // RN-8
  const std::string text = " | number as text";
  const std::string other = " | number respelled";
  for (const char* same :
       {"0", "-1", "12345678901234567890123", "1.0", "-2.5", "1e+20", "1.5e-07"}) {
    EXPECT_EQ(repaired("call:f{a:" + std::string(same) + "}"),
              "{\"a\": " + std::string(same) + "}");
  }
  EXPECT_EQ(repaired("call:ship{zip:00501,code:007,area:-007}"),
            R"({"zip": "00501", "code": "007", "area": "-007"})" + text);
  EXPECT_EQ(repaired("call:f{a:00}"), R"({"a": "00"})" + text);
  EXPECT_EQ(repaired("call:f{a:007.50}"), R"({"a": "007.50"})" + text);
  EXPECT_EQ(repaired("call:f{a:[1e400,-1e400,1e-400]}"),
            R"({"a": ["1e400", "-1e400", "1e-400"]})" + text);
  EXPECT_EQ(repaired("call:f{a:-0}"), R"({"a": -0.0})" + other);
  EXPECT_EQ(repaired("call:f{a:1e3}"), R"({"a": 1000.0})" + other);
  EXPECT_EQ(repaired("call:f{a:2.50}"), R"({"a": 2.5})" + other);
  EXPECT_EQ(repaired("call:f{a:3.14159265358979323846}"), R"({"a": 3.141592653589793})" + other);
}

const Json& typed_tools() {
  static const Json declared =
      parse_json(R"([{"function": {"name": "t", "parameters": {"properties": {
      "s": {"type": "string"}, "i": {"type": "INTEGER"}, "x": {"type": "number"},
      "u": {"type": ["integer", "string"]}, "b": {"type": "boolean"}, "e": {"enum": ["007", "008"]},
      "any": {"anyOf": [{"type": "string"}, {"type": "null"}]},
      "list": {"type": "array", "items": {"type": "string"}},
      "o": {"type": "object", "properties": {"zip": {"type": "string"}},
            "additionalProperties": {"type": "integer"}}}}}}])",
                 "tools", kChatRules);
  return declared;
}

TEST(ToolCall, TheDeclaredTypeIsConsulted) {  // RN-8
  const auto typed = [](const std::string& pairs) {
    return repaired("call:t{" + pairs + "}", &typed_tools());
  };
  const std::string text = " | number as text";
  const std::string other = " | number respelled";
  EXPECT_EQ(typed("s:75001"), R"({"s": "75001"})" + text);
  EXPECT_EQ(typed("s:1.0,any:-0,e:008"), R"({"s": "1.0", "any": "-0", "e": "008"})" + text);
  EXPECT_EQ(typed("s:1e400"), R"({"s": "1e400"})" + text);
  EXPECT_EQ(typed("list:[1,@2@,003]"), R"({"list": ["1", "2", "003"]})" + text);
  EXPECT_EQ(typed("o:{zip:10115,n:012}"), R"({"o": {"zip": "10115", "n": 12}})" + text + other);
  EXPECT_EQ(typed("i:007"), R"({"i": 7})" + other);
  EXPECT_EQ(typed("i:-007"), R"({"i": -7})" + other);
  EXPECT_EQ(typed("i:-0"), R"({"i": 0})" + other);
  EXPECT_EQ(typed("x:007.25"), R"({"x": 7.25})" + other);
  EXPECT_EQ(typed("u:00501"), R"({"u": "00501"})" + text);
  EXPECT_EQ(typed("u:501"), R"({"u": 501})");
  EXPECT_EQ(typed("i:1.0"), R"({"i": 1.0})");
  EXPECT_EQ(typed("b:True,i:1"), R"({"b": true, "i": 1} | true or false in other letters)");
  EXPECT_EQ(typed("s:True,i:1"), R"({"s": "True", "i": 1} | bare word as string)");
  EXPECT_EQ(typed("s:true,b:true"), R"({"s": "true", "b": true} | bare word as string)");
  EXPECT_EQ(typed("s:null"), R"({"s": null})");
  EXPECT_EQ(typed("i:@5@,s:@5@"), R"({"i": "5", "s": "5"})");  // strings are taken literally
  // The strict reading changes no type; what it cannot keep is told.
  EXPECT_EQ(strict("call:t{s:75001}", &typed_tools()), R"(t {"s": 75001})");
  EXPECT_EQ(strict("call:t{s:00501,i:007}", &typed_tools()), R"(t {"s": "00501", "i": 7})");
}

TEST(ToolCall, NamesAndKeysOfOtherScripts) {  // RN-9
  EXPECT_EQ(strict("call:météo_à-Paris.v2{}"), "météo_à-Paris.v2 {}");
  EXPECT_EQ(strict("call:天気{場所:@東京@}"), "天気 {\"\\u5834\\u6240\": \"\\u6771\\u4eac\"}");
  EXPECT_EQ(strict("call:हिन्दी{}"), "हिन्दी {}");
  EXPECT_EQ(strict("call:f{\u00a0a\u2003:1}"), R"(f {"\u00a0a\u2003": 1})");
  EXPECT_THAT(call("call:météo{}").repairs, IsEmpty());
  // Full-width brackets are no letters.
  EXPECT_EQ(call("call:f（a）{}", false).error, "got '（' instead of '{' at byte 6");
}

TEST(ToolCall, DeclaredNamesAndKeysMayHoldAnything) {  // RN-9
  const Json declared = parse_json(R"([{"function": {"name": "get {my} tool", "parameters":
      {"properties": {"a:b": {}, "c,d": {}, "}": {}, "": {}, " k ": {}, "\"q\"": {}}}}}])",
                                   "tools", kChatRules);
  const ToolCall read =
      call(R"(call:get {my} tool{}:4,"q":3,:1,a:b:12:30,c,d:2, k :@x@})", true, &declared);
  EXPECT_EQ(read.name, "get {my} tool");
  EXPECT_EQ(read.tool, read.name);
  EXPECT_EQ(json_text(read.arguments),
            R"({"}": 4, "\"q\"": 3, "": 1, "a:b": "12:30", "c,d": 2, " k ": "x"})");
  EXPECT_THAT(read.repairs, ElementsAre("bare word as string"));
}

TEST(ToolCall, WhiteSpaceAroundPunctuationIsTolerated) {  // RN-6
  EXPECT_EQ(strict(" call: f { a : 1 , b : [ 1 , @x@ ] , c : { } } \n"),
            R"(f {"a": 1, "b": [1, "x"], "c": {}})");
}

TEST(ToolCall, TheLaterOfEqualKeysCounts) {
  EXPECT_EQ(strict("call:f{a:1,b:2,a:3}"), R"(f {"a": 3, "b": 2})");
  EXPECT_EQ(strict("call:f{a:{k:1,k:2}}"), R"(f {"a": {"k": 2}})");
  EXPECT_EQ(repaired("call:f{a:{k:1,k:2}}"), R"({"a": {"k": 2}} | repeated key)");
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
  EXPECT_EQ(repaired("call:f{a:True,b:FALSE,c:[true]}"),
            R"({"a": true, "b": false, "c": [true]} | true or false in other letters)");
  EXPECT_EQ(repaired("call:f{a:1,}"), R"({"a": 1} | trailing comma)");
  EXPECT_EQ(repaired("call:w{a:1,b:[1,2, ],\n}"), R"({"a": 1, "b": [1, 2]} | trailing comma)");
  EXPECT_EQ(repaired("call:f{:1}"), R"({"": 1} | empty key)");
  EXPECT_EQ(repaired("call:f{a,b:1,c:d:@x@}"), R"({"a,b": 1, "c:d": "x"} | punctuation in a key)");
  EXPECT_EQ(repaired("call:my tool{a:1}"), R"({"a": 1} | unusual characters in the name)");
  EXPECT_EQ(call("call:f(x) y{}").name, "f(x) y");
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

TEST(Repairs, WordsOfPython) {
  EXPECT_EQ(repaired("call:f{a:True,b:None,c:monday}"),
            R"({"a": true, "b": null, "c": "monday"} | nil or none as null | )"
            "true or false in other letters | bare word as string");
  EXPECT_EQ(repaired("call:f{a:True"),
            R"({"a": true} | true or false in other letters | missing closing brace)");
  EXPECT_EQ(repaired("call:f{a:[1,2,],"),
            R"({"a": [1, 2]} | trailing comma | missing closing brace)");
}

TEST(Repairs, AnOpenerInFrontOfTheName) {
  const ToolCall read = call("-note{n:1}", true, &tools());
  EXPECT_EQ(read.name, "note");
  EXPECT_EQ(read.tool, "note");
  EXPECT_THAT(read.repairs, ElementsAre("missing word call"));
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
  for (const char* body :
       {"", "nonsense", "call:f{a:}", "call:f{:}", "call:f{a:[1}", "{}", "call:f{,}",
        "call:", "call:f{a:'x}", "call:f{a:[,]}", "call:f{a:1,,}"}) {
    EXPECT_FALSE(call(body).error.empty()) << body;
    EXPECT_EQ(json_text(call(body).arguments), "{}");
  }
}

TEST(ToolCallErrors, KeepTheNameThatWasRead) {
  const auto name = [](const std::string& body, const Json* declared = nullptr) {
    const ToolCall read = call(body, true, declared);
    EXPECT_FALSE(read.error.empty()) << body;
    return read.name;
  };
  EXPECT_EQ(name("call:run_shell:\nBEGIN_ARG:\nls -la\nEND_ARG"), "run_shell");
  EXPECT_EQ(name("call:run_shell:\nBEGIN_ARG:\n{a:1}\nEND_ARG"), "run_shell");
  EXPECT_EQ(name("call:new_file:\nBEGIN_ARG:\na.py\nEND_ARG\nBEGIN_ARG:\nprint(1)\nEND_ARG"),
            "new_file");
  EXPECT_EQ(name("call:ping"), "ping");
  EXPECT_EQ(name(" call: ping "), "ping");
  EXPECT_EQ(name("call:météo.v2-x"), "météo.v2-x");
  EXPECT_EQ(name("call:default_api:note"), "default_api:note");
  EXPECT_EQ(call("call:default_api:note", true, &tools()).tool, "note");
  EXPECT_EQ(name("call:note: n 1", &tools()), "note");
  EXPECT_EQ(name("note{n:}", &tools()), "note");
  EXPECT_EQ(name("nonsense"), "");
  EXPECT_EQ(name("call:{a:1}"), "");
  EXPECT_EQ(name(""), "");
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
