// SPDX-License-Identifier: Apache-2.0
#include "reference/answer/tool_call.h"

#include <unordered_map>

#include "reference/answer/call_grammar.h"

namespace assay {
namespace {

const Value* function_of(const Value& tools, std::string_view name) {
  if (!tools.is_list()) {
    return nullptr;
  }
  for (const Value& tool : tools.list()) {
    const Value* function = tool.find("function");
    const Value* own = function == nullptr ? nullptr : function->find("name");
    if (own != nullptr && own->is_string() && own->string() == name) {
      return function;
    }
  }
  return nullptr;
}

// Whether the declaration of a tool says that a parameter is a string.
bool declares_string(const Value& tools, std::string_view name, std::string_view key) {
  const Value* place = function_of(tools, declared_tool(name, tools));
  for (const std::string_view step :
       {std::string_view("parameters"), std::string_view("properties"), key,
        std::string_view("type")}) {
    place = place == nullptr ? nullptr : place->find(step);
  }
  return place != nullptr && place->is_string() && place->string() == "string";
}

// The later of equal keys counts, at the place of the first.
Value::Mapping without_repeats(const Value::Mapping& pairs) {
  Value::Mapping kept;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const auto& [key, value] : pairs) {
    const auto [place, is_new] = places.emplace(key, kept.size());
    if (is_new) {
      kept.emplace_back(key, value);
    } else {
      kept[place->second].second = value;
    }
  }
  return kept;
}

std::string with_literals(std::string_view body) {
  std::string text;
  for (const char c : body) {
    if (c == kDelimiterByte) {
      text += "<|\"|>";
    } else {
      text += c;
    }
  }
  return text;
}

// The first reading that holds: strict, with one repair, then with more and more of them.
std::optional<CallReading> first_reading(std::string_view body, const AnswerOptions& options,
                                         std::string& error) {
  const IsString is_string = [&options](std::string_view name, std::string_view key) {
    return options.tools != nullptr && declares_string(*options.tools, name, key);
  };
  if (auto strict = read_call(body, {}, is_string, error)) {
    return strict;
  }
  if (!options.lenient) {
    return std::nullopt;
  }
  std::string ignored;
  for (std::size_t i = 0; i < kRepairs; ++i) {
    if (auto reading = read_call(body, RepairSet(1U << i), is_string, ignored)) {
      return reading;
    }
  }
  RepairSet allowed(1);
  for (std::size_t i = 1; i < kRepairs; ++i) {
    allowed.set(i);
    if (auto reading = read_call(body, allowed, is_string, ignored)) {
      return reading;
    }
  }
  return std::nullopt;
}

}  // namespace

ToolCall parse_tool_call(std::string_view body, const AnswerOptions& options) {
  ToolCall call;
  call.raw = with_literals(body);
  const auto reading = first_reading(body, options, call.error);
  if (!reading) {
    call.arguments = Value(Value::Mapping{});
    return call;
  }
  call.error.clear();
  call.name = reading->name;
  call.arguments = Value(without_repeats(reading->arguments.mapping()));
  for (std::size_t i = 0; i < kRepairs; ++i) {
    if (reading->used.test(i)) {
      call.repairs.emplace_back(repair_name(static_cast<Repair>(i)));
    }
  }
  return call;
}

std::string declared_tool(std::string_view name, const Value& tools) {
  if (function_of(tools, name) != nullptr) {
    return std::string(name);
  }
  const std::size_t mark = name.find_last_of(":.");
  if (mark == std::string_view::npos || function_of(tools, name.substr(mark + 1)) == nullptr) {
    return "";
  }
  return std::string(name.substr(mark + 1));
}

}  // namespace assay
