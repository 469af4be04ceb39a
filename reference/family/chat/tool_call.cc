// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/tool_call.h"

#include "reference/family/chat/call_grammar.h"
#include "reference/family/chat/text_case.h"

namespace assay {
namespace {

const Json* function_of(const Json& tools, std::string_view name) {
  if (!tools.is_array()) {
    return nullptr;
  }
  for (const Json& tool : tools.array()) {
    const Json* function = tool.find("function");
    const Json* own = function == nullptr ? nullptr : function->find("name");
    if (own != nullptr && own->is_string() && own->string() == name) {
      return function;
    }
  }
  return nullptr;
}

// Whether a tool says that a parameter is a string; nothing where it does not know it.
std::optional<bool> declares_string(const Json& tools, std::string_view name,
                                    std::string_view key) {
  const Json* place = function_of(tools, declared_tool(name, tools));
  for (const std::string_view step :
       {std::string_view("parameters"), std::string_view("properties"), key}) {
    place = place == nullptr ? nullptr : place->find(step);
  }
  if (place == nullptr) {
    return std::nullopt;
  }
  const Json* type = place->find("type");
  return type != nullptr && type->is_string() && to_lower(type->string()) == "string";
}

// The first reading that holds: strict, with one repair, then with more and more of them.
std::optional<CallReading> first_reading(std::string_view body, const AnswerOptions& options,
                                         std::string& error) {
  const IsString is_string = [&options](std::string_view name, std::string_view key) {
    return options.tools == nullptr ? std::nullopt : declares_string(*options.tools, name, key);
  };
  if (auto strict = read_call(body, {}, is_string, error)) {
    return strict;
  }
  if (!options.lenient) {
    return std::nullopt;
  }
  std::string ignored;
  for (std::size_t i = 0; i < kTriedRepairs; ++i) {
    if (auto reading = read_call(body, RepairSet(1U << i), is_string, ignored)) {
      return reading;
    }
  }
  RepairSet allowed(1);
  for (std::size_t i = 1; i < kTriedRepairs; ++i) {
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
    call.arguments = Json(Json::Object{});
    return call;
  }
  call.error.clear();
  call.name = reading->name;
  call.tool = options.tools == nullptr ? "" : declared_tool(call.name, *options.tools);
  call.arguments = reading->arguments;
  for (std::size_t i = 0; i < kRepairs; ++i) {
    if (reading->used.test(i)) {
      call.repairs.emplace_back(repair_name(static_cast<Repair>(i)));
    }
  }
  return call;
}

std::string declared_tool(std::string_view name, const Json& tools) {
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
