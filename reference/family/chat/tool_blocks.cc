// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/tool_blocks.h"

#include "reference/family/chat/declaration.h"
#include "reference/family/chat/message_parts.h"
#include "reference/family/chat/prompt_error.h"

namespace assay {
namespace {

[[noreturn]] void fail(PromptErrorKind kind, const std::string& message) {
  throw PromptError(kind, message);
}

// The entries of a list that is not empty, or no list at all; nothing else will do.
const Value::List& entries_of(const Value& message, const char* key) {
  static const Value::List none;
  const Value& list = field(message, key);
  if (!list.truthy()) {
    return none;
  }
  if (!list.is_list()) {
    fail(PromptErrorKind::kWrongType, std::string(key) + ": got another type, expected a list");
  }
  return list.list();
}

std::string name_of_call(const Value& call) {
  const Value& name = field(field(call, "function"), "name");
  if (!name.is_string()) {
    fail(PromptErrorKind::kMissing, "tool_calls: function: name: got none, expected text");
  }
  return name.string();
}

std::string call_arguments(const Value& call) {
  const Value* arguments = field(call, "function").find("arguments");
  if (arguments == nullptr) {
    fail(PromptErrorKind::kMissing, "tool_calls: arguments: got none, expected a mapping or null");
  }
  if (arguments->is_mapping()) {
    return prompt_pairs(arguments->mapping());
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
std::string name_or_unknown(const Value& name) {
  if (!name.truthy()) {
    return "unknown";
  }
  if (!name.is_string()) {
    fail(PromptErrorKind::kWrongType, "name: got another type, expected text");
  }
  return name.string();
}

std::string block(const std::string& name, const Value& response) {
  const std::string body = response.is_mapping()
                               ? prompt_pairs(response.mapping())
                               : "value:" + prompt_value(response, KeyStyle::kBare);
  return std::string(kOpenResponse) + "response:" + name + "{" + body + "}<tool_response|>";
}

std::string result_name(const Value& caller, const Value& message) {
  const Value& id = field(message, "tool_call_id");
  std::string name = name_or_unknown(field(message, "name"));
  for (const Value& call : entries_of(caller, "tool_calls")) {
    if (field(call, "id") == id) {
      name = name_of_call(call);
    }
  }
  return name;
}

}  // namespace

std::string call_blocks(const Value& message) {
  std::string text;
  for (const Value& call : entries_of(message, "tool_calls")) {
    text += "<|tool_call>call:" + name_of_call(call) + "{" + call_arguments(call) + "}<tool_call|>";
  }
  return text;
}

// Oddity: a result that is not there is an empty list.
std::string own_result_blocks(const Value& message) {
  static const Value empty(Value::List{});
  std::string text;
  for (const Value& entry : entries_of(message, "tool_responses")) {
    const Value* response = entry.find("response");
    text += block(name_or_unknown(field(entry, "name")), response == nullptr ? empty : *response);
  }
  return text;
}

std::string result_block(const Value& caller, const Value& tool_message) {
  const std::string name = result_name(caller, tool_message);
  const Value& content = field(tool_message, "content");
  if (!content.is_list() && !content.is_mapping()) {
    return block(name, content);
  }
  std::string text;
  std::string media;
  for (const Value& part : parts_of(content)) {
    if (is_text_part(part)) {
      if (!field(part, "text").is_string()) {
        fail(PromptErrorKind::kMissing, "content: text: got none, expected text in a tool's part");
      }
      text += part_text(part);
    }
    media += placeholder(part);
  }
  return block(name, Value(text)) + media;
}

}  // namespace assay
