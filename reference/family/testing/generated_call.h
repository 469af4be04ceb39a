// SPDX-License-Identifier: Apache-2.0
// For tests: calls that the chat template can write, made from choices.
//
// Names, keys and strings are any Unicode but the control literals that carry the structure of a
// turn: no text that holds one of these can be told from the turn that it imitates.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <string_view>

#include "reference/family/base/json.h"
#include "reference/family/base/python_number.h"
#include "reference/family/chat/call_words.h"
#include "reference/family/chat/characters.h"
#include "reference/family/testing/choices.h"

namespace assay {

struct GeneratedCall {
  std::string name;
  Json arguments;
};

inline std::string generated_text(Choices& choices) {
  static constexpr std::array<std::string_view, 36> kPieces = {
      "a",    "B",    "key", "x",   "_",     "-",         ".",       ",",  ":",
      "{",    "}",    "[",   "]",   "(",     ")",         "=",       "\"", "'",
      "`",    "\\",   "<|",  "|>",  "<|\"|", " ",         "\n",      "\t", "call:",
      "true", "null", "007", "1e5", "\r",    "<|image|>", "<|turn>", "İß", "thought\n"};
  static constexpr std::array<std::string_view, 6> kStructure = {
      "<|\"|>", "<tool_call|>", "<|tool_call>", "<|tool_response>", "<turn|>", "<eos>"};
  std::string text;
  for (std::size_t n = choices.below(8); n > 0; --n) {
    if (choices.one_in(4)) {
      const std::size_t limit = choices.one_in(2) ? 0x110000 : 0x300;  // controls, or all planes
      const std::size_t code = choices.below(limit);
      append_character(text,
                       code >= 0xD800 && code < 0xE000 ? 0xFFFD : static_cast<std::uint32_t>(code));
    } else {
      text += kPieces[choices.below(kPieces.size())];
    }
  }
  for (const std::string_view literal : kStructure) {
    for (std::size_t at = text.find(literal); at < text.size(); at = text.find(literal)) {
      text.erase(at, 1);
    }
  }
  return text;
}

// As JSON is read and Python prints it.
inline Json generated_number(Choices& choices) {
  if (choices.one_in(2)) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) {
      bits = 256 * bits + choices.below(256);
    }
    const auto value = std::bit_cast<double>(bits);
    return Json(Json::Number{python_number(std::isfinite(value) ? value : 0.5)});
  }
  std::string digits = std::to_string(1 + choices.below(9));
  for (std::size_t n = choices.below(choices.one_in(8) ? 400 : 6); n > 0; --n) {
    digits += std::to_string(choices.below(10));
  }
  const bool zero = choices.one_in(6);
  return Json(Json::Number{zero ? "0" : (choices.one_in(2) ? "-" : "") + digits});
}

inline Json generated_value(Choices& choices, std::size_t depth);

inline Json generated_object(Choices& choices, std::size_t depth) {
  Json object{Json::Object{}};
  for (std::size_t n = choices.below(4); n > 0; --n) {
    object[generated_text(choices)] = generated_value(choices, depth + 1);
  }
  return object;
}

inline Json generated_value(Choices& choices, std::size_t depth) {
  switch (choices.below(depth > 5 ? 4 : 6)) {
    case 0:
      return choices.one_in(3) ? Json() : Json(choices.one_in(2));
    case 1:
      return generated_number(choices);
    case 4: {
      Json::Array list;
      for (std::size_t n = choices.below(4); n > 0; --n) {
        list.push_back(generated_value(choices, depth + 1));
      }
      return Json(std::move(list));
    }
    case 5:
      return generated_object(choices, depth);
    default:
      return Json(generated_text(choices));
  }
}

inline GeneratedCall generated_call(Choices& choices) {
  GeneratedCall call{generated_text(choices), generated_object(choices, 0)};
  call.name += call.name.empty() ? "f" : "";
  return call;
}

// A schema that declares every key and type of a value.
inline Json schema_of(const Json& value) {
  Json schema{Json::Object{}};
  if (value.is_object()) {
    schema["type"] = "object";
    schema["properties"] = Json::Object{};
    for (const auto& [key, item] : value.object()) {
      schema["properties"][key] = schema_of(item);
    }
  } else if (value.is_array()) {
    Json::Array items;
    for (const Json& item : value.array()) {
      items.push_back(schema_of(item));
    }
    schema["type"] = "array";
    schema["items"] = Json::Object{{"anyOf", std::move(items)}};
  } else if (value.is_number()) {
    const bool whole = value.number().find_first_of(".e") == std::string::npos;
    schema["type"] = whole ? "integer" : "number";
  } else {
    schema["type"] = value.is_string() ? "string" : value.is_boolean() ? "boolean" : "null";
  }
  return schema;
}

inline Json tools_of(const GeneratedCall& call) {
  Json function = Json::Object{{"name", call.name}, {"parameters", schema_of(call.arguments)}};
  return Json(Json::Array{Json(Json::Object{{"function", std::move(function)}})});
}

// Whether a value's keys all hold to a rule.
template <class Rule>
bool all_keys(const Json& value, const Rule& rule) {
  if (value.is_array()) {
    return std::ranges::all_of(value.array(), [&](const Json& v) { return all_keys(v, rule); });
  }
  return !value.is_object() || std::ranges::all_of(value.object(), [&](const auto& member) {
    return rule(member.first) && all_keys(member.second, rule);
  });
}

// Names and keys of the grammar: they come back with no tool declared and no word said.
inline bool is_plain_call(const GeneratedCall& call) {
  return name_length(call.name) == call.name.size() && all_keys(call.arguments, is_plain_key);
}

// Whether one text can mean one call only: {"a:1,b": 2} is written as {"a": 1, "b": 2} is. White
// space around an undeclared key is tolerated, that is lost.
inline bool is_clear_call(const GeneratedCall& call) {
  const auto clear = [](std::string_view key) {
    return key.find(':') == std::string_view::npos && without_space(key).size() == key.size();
  };
  return (clear(call.name) || is_plain_call({call.name, Json(Json::Object{})})) &&
         all_keys(call.arguments, clear);
}

}  // namespace assay
