// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/json_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "reference/family/base/json_object.h"
#include "reference/family/base/python_number.h"
#include "reference/family/chat/characters.h"
#include "reference/family/chat/python_text.h"
#include "reference/family/chat/text_case.h"
#include "reference/family/testing/source_dir.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_requests.h"

namespace assay {
namespace {

using testing::HasSubstr;

Json python_table() {
  return parse_json_file(source_dir() + "/golden/tables/python_text.json", "python_text.json",
                         kMaxConfigBytes);
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
    EXPECT_EQ(python_number(double_of_bits(row[0].string())), row[1].get<std::string>());
  }
  EXPECT_EQ(python_number(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(python_number(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(python_number(std::nan("")), "nan");
}

TEST(PythonText, PrintsEveryStringOfTheTable) {
  const Json table = python_table();
  for (const Json& row : table["strings"]) {
    const auto text = row[0].get<std::string>();
    const std::string list = python_text(Json(Json::Array{Json(text)}));
    EXPECT_EQ(list, "[" + row[1].get<std::string>() + "]");
    EXPECT_EQ(python_text(Json(text)), text);
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

TEST(PythonText, TruthIsPythons) {
  for (const char* no : {"null", "false", "0", "0.0", "-0.0", "\"\"", "[]", "{}", "0e5"}) {
    EXPECT_FALSE(truthy(value_of(no))) << no;
  }
  for (const char* yes : {"true", "1", "0.5", "-1e-300", "\" \"", "\"0\"", "[0]", R"({"": 0})"}) {
    EXPECT_TRUE(truthy(value_of(yes))) << yes;
  }
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
  const Json value =
      value_of(R"({"b": 1, "A": 2, "a": 3, "B": 4, "Z": 5, "_": 6, "é": 7, "É": 8})");
  std::string keys;
  for (const auto* entry : sorted_entries(value.object())) {
    keys += entry->first + " ";
  }
  EXPECT_EQ(keys, "_ A a b B Z é É ");
}

}  // namespace
}  // namespace assay
