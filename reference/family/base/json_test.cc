// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "reference/family/base/error.h"
#include "reference/family/base/json_library.h"
#include "reference/family/base/json_object.h"
#include "reference/family/testing/test_directory.h"

namespace assay {
namespace {

using testing::HasSubstr;

Json value_of(const std::string& text) {
  return parse_json(text, "test", kChatRules);
}

TEST(Json, NumbersKeepTheirKind) {
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

TEST(Json, TheLaterOfEqualKeysStandsAtThePlaceOfTheFirst) {
  EXPECT_EQ(json_text(value_of(R"({"a": 1, "b": 2, "a": 3})")), R"({"a": 3, "b": 2})");
}

TEST(Json, JsonIsThatOfPython) {
  const std::string text =
      R"({"a": [1, 2.5, "x\"\\\n\t\u0000\u007f/", null, true, {"\u00e9\ud83d\ude00": []}], "": -3})";
  EXPECT_EQ(json_text(value_of(text)), text);
  EXPECT_EQ(value_of(json_text(value_of(text))), value_of(text));
}

TEST(Json, FindsKeysOfObjectsOnly) {
  EXPECT_EQ(value_of(R"({"a": 1})").find("b"), nullptr);
  EXPECT_EQ(value_of("[1]").find("a"), nullptr);
  EXPECT_EQ(value_of(R"({"a": null})").find("a")->is_null(), true);
}

TEST(JsonErrors, WhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "nul", "1 2", "'a'", "\"\xFF\"", "01",
                           "+1", "NaN", "\"\\ud800\"", "{1: 2}", "[1}", "\"\n\"", "// x\n1"}) {
    EXPECT_THAT(error_of([&] { value_of(text); }), HasSubstr("test: json: got")) << text;
  }
  EXPECT_THAT(error_of([] { value_of("1e999"); }), HasSubstr("got a number out of range"));
  EXPECT_THAT(error_of([] { value_of(std::string(65, '[') + std::string(65, ']')); }),
              HasSubstr("got objects or arrays more than 64 deep"));
  EXPECT_EQ(error_of([] { value_of(std::string(64, '[') + std::string(64, ']')); }), "no error");
  EXPECT_THAT(error_of([] { value_of(std::string(1000000, '[')); }),
              HasSubstr("more than 64 deep"));
}

TEST(JsonErrors, WhatTheRulesOfConfigsRefuse) {
  const auto strict = [](const std::string& text) {
    return error_of([&] { parse_json(text, "c.json"); });
  };
  EXPECT_EQ(strict(R"({"a": {"b": 1}, "b": [{"b": 2}]})"), "no error");
  EXPECT_EQ(strict(R"({"a": 1, "b": 2, "a": 3})"),
            "c.json: json: got the key \"a\" twice in one object, expected it once");
  EXPECT_EQ(strict(std::string(16, '[') + std::string(16, ']')), "no error");
  EXPECT_EQ(strict(std::string(17, '[') + std::string(17, ']')),
            "c.json: json: got objects or arrays more than 16 deep, expected fewer");
}

// Each key compared with all before it would take minutes.
TEST(Json, ManyKeysAreReadInLinearTime) {
  std::string text = "{";
  for (int i = 0; i < 300000; ++i) {
    text += "\"token " + std::to_string(i) + "\": " + std::to_string(i) + ",";
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(parse_json(text + "\"\": 0}", "test").size(), 300001U);
  EXPECT_THAT(error_of([&] { parse_json(text + "\"token 7\": 0}", "test"); }),
              HasSubstr("\"token 7\" twice"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Json, ADocumentIsWrittenAsItReads) {
  const Json document = Json::Object{{"b", Json::Array{1, -2, 2.5, true, "\u00e9", nullptr}},
                                     {"a", Json::Object{{"x", Json::Array{}}}}};
  EXPECT_EQ(json_text(document), R"({"b": [1, -2, 2.5, true, "\u00e9", null], "a": {"x": []}})");
  EXPECT_EQ(json_text(document, {.spaces = false, .sorted = true, .ascii = false}),
            R"({"a":{"x":[]},"b":[1,-2,2.5,true,"é",null]})");
  EXPECT_EQ(json_text(Json::Object{{"b", Json::Array{1, 2}}, {"a", Json::Object()}},
                      {.indent = 2, .sorted = true}),
            "{\n  \"a\": {},\n  \"b\": [\n    1,\n    2\n  ]\n}");
}

TEST(Json, NumbersAreWrittenAsTheyAre) {
  const auto limit = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(json_text(Json::Array{limit, std::numeric_limits<std::int64_t>::min(), 2.0, 1e20, 1e-6,
                                  1.0 / 3, std::numeric_limits<double>::infinity()}),
            "[18446744073709551615, -9223372036854775808, 2.0, 1e+20, 1e-06, 0.3333333333333333, "
            "null]");
  EXPECT_EQ(Json(limit).get<std::uint64_t>(), limit);
  EXPECT_EQ(Json(-1).get<std::int8_t>(), -1);
  EXPECT_EQ(value_of("0.1").get<double>(), 0.1);
  EXPECT_EQ(value_of("[1, 2.5]").get<std::vector<double>>(), (std::vector<double>{1, 2.5}));
}

TEST(Json, WhatIsNotThereOrDoesNotFitIsAnError) {
  const Json value = value_of(R"({"list": [1, 300, -1, 2.0], "text": "x"})");
  EXPECT_EQ(error_of([&] { value["none"]; }),
            "json: got {\"list\": [1, 300, -1, 2.0], \"text\": \"x\"}, expected an object with "
            "the key \"none\"");
  EXPECT_THAT(error_of([&] { value["list"][4]; }), HasSubstr("expected more than 4 values"));
  EXPECT_THAT(error_of([&] { value["text"][0]; }), HasSubstr("expected an array"));
  EXPECT_EQ(error_of([&] { value["list"][1].get<std::uint8_t>(); }),
            "json: got 300, expected an integer from 0 to 255");
  EXPECT_EQ(error_of([&] { value["list"][2].get<std::size_t>(); }),
            "json: got -1, expected an integer from 0 to 18446744073709551615");
  EXPECT_THAT(error_of([&] { value["list"][3].get<int>(); }), HasSubstr("got 2.0, expected an"));
  EXPECT_THAT(error_of([&] { value["text"].get<double>(); }), HasSubstr("expected a number"));
  EXPECT_EQ(value["list"][3].unsigned_integer(), std::nullopt);
}

TEST(Json, ADocumentCanBeChanged) {
  Json value = value_of(R"({"a": {"b": 1}, "c": [1, 2]})");
  value["a"]["b"] = "x";
  value["a"]["new"]["deep"] = nullptr;
  value["c"][1] = false;
  value.erase("none");
  EXPECT_EQ(json_text(value), R"({"a": {"b": "x", "new": {"deep": null}}, "c": [1, false]})");
  value.erase("a");
  EXPECT_EQ(value, value_of(R"({"c": [1, false]})"));
}

TEST(JsonQuote, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(json_quote("plain ~"), "\"plain ~\"");
  EXPECT_EQ(json_quote("a\"\\\n\x01\x7f"), R"("a\"\\\n\u0001\u007f")");
  EXPECT_EQ(json_quote("\xC3\xA9\xFF"), R"("\u00e9\ufffd")");
  EXPECT_EQ(json_quote("\xC3\xA9\x7f", false), "\"\xC3\xA9\x7f\"");
}

// Of numbers the value counts: 0 where 0.0 is expected.
TEST(JsonObject, ExpectsValuesNotSpellings) {
  const Json value = value_of(R"({"mean": [0, 0.0], "flag": null, "name": "BPE"})");
  const JsonObject object(&value, "c.json", "part.");
  object.expect("mean", Json::Array{0.0, 0.0});
  object.expect("flag", true);
  object.expect("absent", 3);
  object.expect("name", "BPE");
  EXPECT_EQ(error_of([&] {
              object.expect("mean", Json::Array{0.0, 1.0});
            }),
            "c.json: part.mean: got an array of 2 values, expected [0.0,1.0]");
  EXPECT_EQ(error_of([&] { object.expect("name", "WordPiece"); }),
            "c.json: part.name: got \"BPE\", expected \"WordPiece\"");
}

}  // namespace
}  // namespace assay
