// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/message_parts.h"

#include "reference/family/chat/prompt_error.h"

namespace assay {
namespace {

std::string_view type_of(const Value& part) {
  const Value& type = field(part, "type");
  return type.is_string() ? std::string_view(type.string()) : "";
}

}  // namespace

const Value& field(const Value& mapping, std::string_view key) {
  static const Value null;
  const Value* value = mapping.find(key);
  return value == nullptr ? null : *value;
}

std::string role_of(const Value& message) {
  const Value& role = field(message, "role");
  return role.is_string() ? role.string() : "";
}

bool is_text_part(const Value& part) {
  return type_of(part) == "text";
}

std::string_view placeholder(const Value& part) {
  const std::string_view type = type_of(part);
  if (type == "image" || type == "image_url") {
    return "<|image|>";
  }
  if (type == "audio" || type == "input_audio") {
    return "<|audio|>";
  }
  return type == "video" ? "<|video|>" : "";
}

std::string part_text(const Value& part) {
  const Value* text = part.find("text");
  return text == nullptr ? "" : python_text(*text);
}

const Value::List& parts_of(const Value& content) {
  static const Value::List none;
  if (content.is_mapping() && content.truthy()) {
    throw PromptError(PromptErrorKind::kWrongType,
                      "content: got a mapping, expected a string or a list of parts");
  }
  if (!content.is_list()) {
    return none;
  }
  for (const Value& part : content.list()) {
    if (!part.is_mapping()) {
      throw PromptError(PromptErrorKind::kWrongType,
                        "content: got a part of another type, expected mappings");
    }
  }
  return content.list();
}

}  // namespace assay
