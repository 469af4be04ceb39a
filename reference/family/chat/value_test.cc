// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "reference/family/base/json.h"
#include "reference/family/chat/characters.h"
#include "reference/family/chat/text_case.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_requests.h"

namespace assay {
namespace {

using testing::HasSubstr;

Json python_table() {
  return parse_json_file(std::string(ASSAY_SOURCE_DIR) + "/golden/tables/python_text.json",
                         "python_text.json", kMaxConfigBytes);
}

double double_of_bits(const std::string& hex) {
  std::uint64_t bits = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
  return std::bit_cast<double>(bits);
}

std::string printed(const std::string& json) {
  return python_text(value_of(json));
}

TEST(PythonNumber, PrintsEveryNumberOfTheTable) {
  const Json table = python_table();
  ASSERT_GT(table["numbers"].size(), 400U);
  for (const Json& row : table["numbers"]) {
    EXPECT_EQ(python_number(double_of_bits(row[0])), row[1].get<std::string>());
  }
  EXPECT_EQ(python_number(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(python_number(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(python_number(std::nan("")), "nan");
}

TEST(PythonText, PrintsEveryStringOfTheTable) {
  for (const Json& row : python_table()["strings"]) {
    const auto text = row[0].get<std::string>();
    const std::string list = python_text(Value(Value::List{Value(text)}));
    EXPECT_EQ(list, "[" + row[1].get<std::string>() + "]");
    EXPECT_EQ(python_text(Value(text)), text);
    EXPECT_EQ(trim(text), row[2].get<std::string>()) << row[0];
    EXPECT_EQ(to_lower(text), row[3].get<std::string>()) << row[0];
    EXPECT_EQ(to_upper(text), row[4].get<std::string>()) << row[0];
  }
}

TEST(PythonText, OfValues) {
  EXPECT_EQ(printed("null"), "None");
  EXPECT_EQ(printed("[true, false, null, 1, 2.0]"), "[True, False, None, 1, 2.0]");
  EXPECT_EQ(printed(R"({"b": "x", "a": ["y"], "c": {}})"), "{'b': 'x', 'a': ['y'], 'c': {}}");
}

TEST(Value, NumbersKeepTheirKind) {
  for (const auto& [json, text] : std::vector<std::pair<std::string, std::string>>{
           {"3", "3"},
           {"-7", "-7"},
           {"-0", "0"},
           {"3.0", "3.0"},
           {"1e2", "100.0"},
           {"1E+20", "1e+20"},
           {"1e16", "1e+16"},
           {"1e-5", "1e-05"},
           {"-0.0", "-0.0"},
           {"123456789012345680.0", "1.2345678901234568e+17"},
           {"9223372036854775807", "9223372036854775807"},
           {"18446744073709551616", "18446744073709551616"},
           {"-123456789012345678901234567890", "-123456789012345678901234567890"}}) {
    EXPECT_EQ(value_of(json).number(), text) << json;
  }
}

TEST(Value, TheLaterOfEqualKeysStandsAtThePlaceOfTheFirst) {
  EXPECT_EQ(json_text(value_of(R"({"a": 1, "b": 2, "a": 3})")), R"({"a": 3, "b": 2})");
}

TEST(Value, TruthIsPythons) {
  for (const char* no : {"null", "false", "0", "0.0", "-0.0", "\"\"", "[]", "{}", "0e5"}) {
    EXPECT_FALSE(value_of(no).truthy()) << no;
  }
  for (const char* yes : {"true", "1", "0.5", "-1e-300", "\" \"", "\"0\"", "[0]", R"({"": 0})"}) {
    EXPECT_TRUE(value_of(yes).truthy()) << yes;
  }
}

TEST(Value, JsonIsThatOfPython) {
  const std::string text =
      R"({"a": [1, 2.5, "x\"\\\n\t\u0000\u007f/", null, true, {"\u00e9\ud83d\ude00": []}], "": -3})";
  EXPECT_EQ(json_text(value_of(text)), text);
  EXPECT_EQ(value_of(json_text(value_of(text))), value_of(text));
}

TEST(Value, FindsKeysOfMappingsOnly) {
  EXPECT_EQ(value_of(R"({"a": 1})").find("b"), nullptr);
  EXPECT_EQ(value_of("[1]").find("a"), nullptr);
  EXPECT_EQ(value_of(R"({"a": null})").find("a")->is_null(), true);
}

TEST(ValueErrors, WhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "nul", "1 2", "'a'", "\"\xFF\"", "01",
                           "+1", "NaN", "\"\\ud800\"", "{1: 2}", "[1}", "\"\n\"", "// x\n1"}) {
    EXPECT_THAT(error_of([&] { value_of(text); }), HasSubstr("test: json: got")) << text;
  }
  EXPECT_THAT(error_of([] { value_of("1e999"); }), HasSubstr("got a number out of range"));
  EXPECT_THAT(error_of([] { value_of(std::string(65, '[') + std::string(65, ']')); }),
              HasSubstr("got more than 64 levels"));
  EXPECT_EQ(error_of([] { value_of(std::string(64, '[') + std::string(64, ']')); }), "no error");
  EXPECT_THAT(error_of([] { value_of(std::string(1000000, '[')); }), HasSubstr("64 levels"));
}

TEST(Characters, RoundTrip) {
  for (const std::uint32_t code : {0x0U, 0x41U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xD7FFU, 0xE000U,
                                   0xFFFFU, 0x10000U, 0x10FFFFU}) {
    std::string text;
    append_character(text, code);
    EXPECT_EQ(character_at(text, 0).code, code);
    EXPECT_EQ(character_at(text, 0).bytes, text.size());
  }
}

TEST(SortedEntries, WithoutRegardToCaseAndStable) {
  const Value value =
      value_of(R"({"b": 1, "A": 2, "a": 3, "B": 4, "Z": 5, "_": 6, "é": 7, "É": 8})");
  std::string keys;
  for (const auto* entry : sorted_entries(value.mapping())) {
    keys += entry->first + " ";
  }
  EXPECT_EQ(keys, "_ A a b B Z é É ");
}

}  // namespace
}  // namespace assay
