// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/message_parts.h"

#include "reference/family/chat/prompt_error.h"
#include "reference/family/chat/python_text.h"

namespace assay {
namespace {

std::string_view type_of(const Json& part) {
  const Json& type = field(part, "type");
  return type.is_string() ? std::string_view(type.string()) : "";
}

}  // namespace

const Json& field(const Json& mapping, std::string_view key) {
  static const Json null;
  const Json* value = mapping.find(key);
  return value == nullptr ? null : *value;
}

std::string role_of(const Json& message) {
  const Json& role = field(message, "role");
  return role.is_string() ? role.string() : "";
}

bool is_text_part(const Json& part) {
  return type_of(part) == "text";
}

std::string_view placeholder(const Json& part) {
  const std::string_view type = type_of(part);
  if (type == "image" || type == "image_url") {
    return "<|image|>";
  }
  if (type == "audio" || type == "input_audio") {
    return "<|audio|>";
  }
  return type == "video" ? "<|video|>" : "";
}

std::string part_text(const Json& part) {
  const Json* text = part.find("text");
  return text == nullptr ? "" : python_text(*text);
}

const Json::Array& parts_of(const Json& content) {
  static const Json::Array none;
  if (content.is_object() && truthy(content)) {
    throw PromptError(PromptErrorKind::kWrongType,
                      "content: got a mapping, expected a string or a list of parts");
  }
  if (!content.is_array()) {
    return none;
  }
  for (const Json& part : content.array()) {
    if (!part.is_object()) {
      throw PromptError(PromptErrorKind::kWrongType,
                        "content: got a part of another type, expected mappings");
    }
  }
  return content.array();
}

}  // namespace assay
