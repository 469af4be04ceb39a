// SPDX-License-Identifier: Apache-2.0
// Values and declarations, in the corners that the printed renderings do not reach. What is
// expected here was made by executing the official template.
#include "reference/family/chat/declaration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/family/chat/prompt_error.h"
#include "reference/family/testing/test_directory.h"
#include "reference/family/testing/test_requests.h"

namespace assay {
namespace {

using testing::HasSubstr;

// <|"|> reads badly: here it is @.
std::string with_at(std::string text) {
  for (std::size_t at = 0; (at = text.find(kStringDelimiter, at)) != std::string::npos;) {
    text.replace(at, kStringDelimiter.size(), "@");
  }
  return text;
}

std::string bare(const std::string& json) {
  return with_at(prompt_value(value_of(json), KeyStyle::kBare));
}

// The fields of one property with this schema.
std::string property(const std::string& schema) {
  const std::string tool = R"({"function": {"name": "f", "description": "d", "parameters": )"
                           R"({"type": "object", "properties": {"p": )" +
                           schema + "}}}}";
  const std::string text = with_at(tool_declaration(value_of(tool)));
  const std::string before = "declaration:f{description:@d@,parameters:{properties:{p:{";
  const std::string after = "}},type:@OBJECT@}}";
  EXPECT_TRUE(text.starts_with(before) && text.ends_with(after)) << text;
  return text.substr(before.size(), text.size() - before.size() - after.size());
}

std::string declared(const std::string& function) {
  return with_at(
      tool_declaration(value_of(R"({"type": "function", "function": )" + function + "}")));
}

std::string tool_error(const std::string& tool) {
  return error_of([&] { tool_declaration(value_of(tool)); });
}

TEST(PromptValue, EveryKind) {      // RP-13, RP-14
  EXPECT_EQ(bare("null"), "null");  // P36
  EXPECT_EQ(bare("true"), "true");
  EXPECT_EQ(bare("[1, 2.5, -1.5, 2.0, 1e20, \"a\"]"), "[1,2.5,-1.5,2.0,1e+20,@a@]");
  EXPECT_EQ(bare("[]"), "[]");
  EXPECT_EQ(bare("{}"), "{}");
  EXPECT_EQ(bare(R"({"b": {"y": [], "X": {}}, "A": "v"})"), "{A:@v@,b:{X:{},y:[]}}");
}

TEST(prompt_value_mistakes, P34_escaping) {  // RP-13
  EXPECT_EQ(bare(R"("He said \"hi\" \\ {x:1}\nnext <|think|>")"),
            "@He said \"hi\" \\ {x:1}\nnext <|think|>@");
}

TEST(prompt_value_mistakes, P35_delimited_keys) {  // RP-15
  EXPECT_EQ(bare(R"({"a": {"b": 1}})"), "{a:{b:1}}");
  EXPECT_EQ(with_at(prompt_value(value_of(R"({"a": {"b": 1}})"), KeyStyle::kDelimited)),
            "{@a@:{@b@:1}}");
}

TEST(prompt_value_mistakes, P31_case_sensitive_sort) {  // RP-15
  EXPECT_EQ(bare(R"({"b": 1, "A": 2, "C": 3})"), "{A:2,b:1,C:3}");
}

TEST(Declaration, DescriptionIsAlwaysThere) {  // RP-16
  EXPECT_EQ(declared(R"({"name": "f"})"), "declaration:f{description:@@}");
  EXPECT_EQ(declared(R"({"name": "f", "description": null})"), "declaration:f{description:@None@}");
  EXPECT_EQ(declared(R"({"name": "f", "description": "x", "parameters": {}})"),
            "declaration:f{description:@x@}");
}

TEST(Declaration, WithoutATypeTheBraceStaysOpen) {
  EXPECT_EQ(declared(R"({"name": "f", "description": "", "parameters": {"required": ["a"]}})"),
            "declaration:f{description:@@,parameters:{required:[@a@],}");
  EXPECT_EQ(declared(R"({"name": "f", "description": "", "response": {"type": "string"}})"),
            "declaration:f{description:@@,response:{}");
}

TEST(Declaration, Response) {
  EXPECT_EQ(declared(R"({"name": "f", "description": "", "response": {"type": "Object"}})"),
            "declaration:f{description:@@,response:{type:@OBJECT@}}");
  EXPECT_EQ(
      declared(
          R"({"name": "f", "description": "", "response": {"type": "object", "description": "r"}})"),
      "declaration:f{description:@@,response:{description:@r@,type:@OBJECT@}}");
}

TEST(declaration_mistakes, P30_fields_in_alphabetical_order) {  // RP-17
  EXPECT_EQ(property(R"({"type": "string", "description": "x", "enum": ["b", "a"]})"),
            "description:@x@,enum:[@b@,@a@],type:@STRING@");
  EXPECT_EQ(
      property(R"({"type": "object", "nullable": true, "required": ["q"], "properties": {}})"),
      "nullable:true,properties:{},required:[@q@],type:@OBJECT@");
}

TEST(declaration_mistakes, P31_properties_in_the_order_of_the_file) {
  EXPECT_EQ(property(R"({"type": "object", "properties": {"zip": {"type": "string"},
                         "City": {"type": "string"}, "address": {"type": "string"}}})"),
            "properties:{address:{type:@STRING@},City:{type:@STRING@},zip:{type:@STRING@}},"
            "type:@OBJECT@");
}

TEST(declaration_mistakes, P32_types_in_lower_case) {  // RP-18
  EXPECT_EQ(property(R"({"type": "integer"})"), "type:@INTEGER@");
}

TEST(declaration_mistakes, P33_properties_named_like_schema_keys) {
  EXPECT_EQ(property(R"({"type": "object", "properties": {"type": {"type": "string"},
                         "required": {"type": "boolean"}}})"),
            "properties:{required:{type:@BOOLEAN@},type:{type:@STRING@}},type:@OBJECT@");
}

TEST(Declaration, WhatIsDropped) {  // RP-19
  EXPECT_EQ(property(R"({"type": "integer", "default": 5, "minimum": 1, "format": "x", "title": "t",
                         "enum": [1, 2], "anyOf": [], "$ref": "#"})"),
            "type:@INTEGER@");
  EXPECT_EQ(property(R"({"type": "string", "enum": [], "description": "", "nullable": false})"),
            "type:@STRING@");
}

TEST(Declaration, UnionTypesArePrintedAsPythonLists) {  // RP-18
  EXPECT_EQ(property(R"({"type": ["string", "null"]})"), "type:@['STRING', 'NULL']@");
  EXPECT_EQ(property("{}"), "type:@@");
  EXPECT_EQ(property("\"string\""), "type:@@");
}

TEST(Declaration, ObjectsWithoutPropertiesShowTheirOtherKeys) {
  EXPECT_EQ(property(R"({"type": "object", "description": "d", "b": {"type": "string"},
                         "A": {"type": "integer"}})"),
            "description:@d@,properties:{A:{type:@INTEGER@},b:{type:@STRING@}},type:@OBJECT@");
  EXPECT_EQ(property(R"({"type": "object"})"), "properties:{},type:@OBJECT@");
}

TEST(Declaration, Items) {  // RP-17
  EXPECT_EQ(property(R"({"type": "array", "items": {"type": "string"}})"),
            "items:{type:@STRING@},type:@ARRAY@");
  EXPECT_EQ(property(R"({"type": "array", "items": {}})"), "type:@ARRAY@");
  EXPECT_EQ(property(R"({"type": "array", "items": {"type": ["string", "null"], "x": null}})"),
            "items:{type:[@STRING@,@NULL@]},type:@ARRAY@");
  EXPECT_EQ(property(R"({"type": "array", "items": {"maximum": 3, "enum": ["a"], "required": ["r"],
                         "properties": {"q": {"type": "number"}}, "odd": {"k": true}}})"),
            "items:{enum:[@a@],maximum:3,odd:{@k@:true},properties:{q:{type:@NUMBER@}},"
            "required:[@r@]},type:@ARRAY@");
}

TEST(DeclarationErrors, AreTyped) {
  EXPECT_THAT(tool_error("{}"), HasSubstr("tools: function: got nothing, expected a mapping"));
  EXPECT_THAT(tool_error("3"), HasSubstr("tools: function: got nothing"));
  EXPECT_THAT(tool_error(R"({"function": {}})"), HasSubstr("tools: function: name: got none"));
  EXPECT_THAT(tool_error(R"({"function": {"name": "f", "parameters": [1]}})"),
              HasSubstr("tools: parameters: got another type"));
  EXPECT_THAT(tool_error(R"({"function": {"name": "f", "parameters": {"properties": [1]}}})"),
              HasSubstr("tools: properties: got another type"));
  EXPECT_THAT(tool_error(R"({"function": {"name": "f", "parameters": {"required": 1}}})"),
              HasSubstr("tools: required: got another type"));
  try {
    tool_declaration(value_of(R"({"function": {"name": "f", "parameters": 1}})"));
    FAIL();
  } catch (const PromptError& error) {
    EXPECT_EQ(error.kind(), PromptErrorKind::kWrongType);
  }
}

}  // namespace
}  // namespace assay
