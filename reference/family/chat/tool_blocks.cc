// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/tool_blocks.h"

#include "reference/family/chat/declaration.h"
#include "reference/family/chat/message_parts.h"
#include "reference/family/chat/prompt_error.h"
#include "reference/family/chat/python_text.h"

namespace assay {
namespace {

[[noreturn]] void fail(PromptErrorKind kind, const std::string& message) {
  throw PromptError(kind, message);
}

// The entries of a list that is not empty, or no list at all; nothing else will do.
const Json::Array& entries_of(const Json& message, const char* key) {
  static const Json::Array none;
  const Json& list = field(message, key);
  if (!truthy(list)) {
    return none;
  }
  if (!list.is_array()) {
    fail(PromptErrorKind::kWrongType, std::string(key) + ": got another type, expected a list");
  }
  return list.array();
}

std::string name_of_call(const Json& call) {
  const Json& name = field(field(call, "function"), "name");
  if (!name.is_string()) {
    fail(PromptErrorKind::kMissing, "tool_calls: function: name: got none, expected text");
  }
  return name.string();
}

std::string call_arguments(const Json& call) {
  const Json* arguments = field(call, "function").find("arguments");
  if (arguments == nullptr) {
    fail(PromptErrorKind::kMissing, "tool_calls: arguments: got none, expected a mapping or null");
  }
  if (arguments->is_object()) {
    return prompt_pairs(arguments->object());
  }
  if (arguments->is_string()) {
    fail(PromptErrorKind::kStringArguments,
         "tool_calls: arguments: got a string, expected a mapping");
  }
  if (!arguments->is_null()) {
    fail(PromptErrorKind::kWrongType,
         "tool_calls: arguments: got another type, expected a mapping");
  }
  return "";
}

// A name that is there, as text; else "unknown".
std::string name_or_unknown(const Json& name) {
  if (!truthy(name)) {
    return "unknown";
  }
  if (!name.is_string()) {
    fail(PromptErrorKind::kWrongType, "name: got another type, expected text");
  }
  return name.string();
}

std::string block(const std::string& name, const Json& response) {
  const std::string body = response.is_object()
                               ? prompt_pairs(response.object())
                               : "value:" + prompt_value(response, KeyStyle::kBare);
  std::string text(kOpenResponse);
  return text.append("response:").append(name).append("{").append(body).append("}<tool_response|>");
}

std::string result_name(const Json& caller, const Json& message) {
  const Json& id = field(message, "tool_call_id");
  std::string name = name_or_unknown(field(message, "name"));
  for (const Json& call : entries_of(caller, "tool_calls")) {
    if (field(call, "id") == id) {
      name = name_of_call(call);
    }
  }
  return name;
}

}  // namespace

std::string call_blocks(const Json& message) {
  std::string text;
  for (const Json& call : entries_of(message, "tool_calls")) {
    text += "<|tool_call>call:" + name_of_call(call) + "{" + call_arguments(call) + "}<tool_call|>";
  }
  return text;
}

// Oddity: a result that is not there is an empty list.
std::string own_result_blocks(const Json& message) {
  static const Json empty(Json::Array{});
  std::string text;
  for (const Json& entry : entries_of(message, "tool_responses")) {
    const Json* response = entry.find("response");
    text += block(name_or_unknown(field(entry, "name")), response == nullptr ? empty : *response);
  }
  return text;
}

std::string result_block(const Json& caller, const Json& tool_message) {
  const std::string name = result_name(caller, tool_message);
  const Json& content = field(tool_message, "content");
  if (!content.is_array() && !content.is_object()) {
    return block(name, content);
  }
  std::string text;
  std::string media;
  for (const Json& part : parts_of(content)) {
    if (is_text_part(part)) {
      if (!field(part, "text").is_string()) {
        fail(PromptErrorKind::kMissing, "content: text: got none, expected text in a tool's part");
      }
      text += part_text(part);
    }
    media += placeholder(part);
  }
  return block(name, Json(text)) + media;
}

}  // namespace assay
