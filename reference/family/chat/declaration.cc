// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/declaration.h"

#include <algorithm>
#include <array>

#include "reference/family/chat/prompt_error.h"
#include "reference/family/chat/python_text.h"
#include "reference/family/chat/text_case.h"

namespace assay {
namespace {

std::string delimited(std::string_view text) {
  return std::string(kStringDelimiter) + std::string(text) + std::string(kStringDelimiter);
}

// Text as Jinja prints a value; nothing for one that is not there.
std::string printed(const Json* value) {
  return value == nullptr ? "" : python_text(*value);
}

bool truthy(const Json* value) {
  return value != nullptr && truthy(*value);
}

std::string upper_type(const Json& schema) {
  return to_upper(printed(schema.find("type")));
}

// Fields of one object, with commas between them.
class Fields {
 public:
  void add(const std::string& field) { text_ += (text_.empty() ? "" : ",") + field; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string required_list(const Json& names) {
  if (!names.is_array()) {
    throw PromptError(PromptErrorKind::kWrongType,
                      "tools: required: got another type, expected a list");
  }
  Fields fields;
  for (const Json& name : names.array()) {
    fields.add(delimited(python_text(name)));
  }
  return "required:[" + fields.text() + "]";
}

std::string properties(const Json::Object& schemas, bool without_schema_keys);

std::string item_type(const Json& type) {
  if (type.is_string()) {
    return "type:" + delimited(to_upper(type.string()));
  }
  if (!type.is_array()) {
    throw PromptError(PromptErrorKind::kWrongType,
                      "tools: items: type: got another type, expected a string or a list");
  }
  Fields types;
  for (const Json& name : type.array()) {
    types.add(delimited(to_upper(python_text(name))));
  }
  return "type:[" + types.text() + "]";
}

std::string items(const Json::Object& schema) {
  Fields fields;
  for (const auto* entry : sorted_entries(schema)) {
    const auto& [key, value] = *entry;
    if (value.is_null()) {
      continue;
    }
    if (key == "properties") {
      fields.add("properties:{" +
                 (value.is_object() ? properties(value.object(), false) : std::string()) + "}");
    } else if (key == "required") {
      fields.add(required_list(value));
    } else if (key == "type") {
      fields.add(item_type(value));
    } else {
      fields.add(key + ":" + prompt_value(value, KeyStyle::kDelimited));
    }
  }
  return "items:{" + fields.text() + "}";
}

void add_object_fields(const Json& schema, Fields& fields) {
  const Json* inner = schema.find("properties");
  if (inner != nullptr && inner->is_object()) {
    fields.add("properties:{" + properties(inner->object(), false) + "}");
  } else {
    fields.add("properties:{" + properties(schema.object(), true) + "}");
  }
  if (const Json* required = schema.find("required"); truthy(required)) {
    fields.add(required_list(*required));
  }
}

// name:{FIELDS}; what is not named here is dropped without a word, and a schema that is no mapping
// has no fields.
std::string property(const std::string& name, const Json& schema) {
  Fields fields;
  if (const Json* text = schema.find("description"); truthy(text)) {
    fields.add("description:" + delimited(python_text(*text)));
  }
  const std::string type = upper_type(schema);
  if (const Json* choices = schema.find("enum"); type == "STRING" && truthy(choices)) {
    fields.add("enum:" + prompt_value(*choices, KeyStyle::kDelimited));
  }
  if (const Json* inner = schema.find("items");
      type == "ARRAY" && truthy(inner) && inner->is_object()) {
    fields.add(items(inner->object()));
  }
  if (truthy(schema.find("nullable"))) {
    fields.add("nullable:true");
  }
  if (type == "OBJECT") {
    add_object_fields(schema, fields);
  }
  fields.add("type:" + delimited(type));
  return name + ":{" + fields.text() + "}";
}

std::string properties(const Json::Object& schemas, bool without_schema_keys) {
  constexpr std::array<std::string_view, 5> kSchemaKeys = {"description", "type", "properties",
                                                           "required", "nullable"};
  Fields fields;
  for (const auto* entry : sorted_entries(schemas)) {
    if (!without_schema_keys || std::ranges::find(kSchemaKeys, entry->first) == kSchemaKeys.end()) {
      fields.add(property(entry->first, entry->second));
    }
  }
  return fields.text();
}

// ",parameters:{…}". Without a type the brace stays open, as in the official template.
std::string parameters(const Json& schema) {
  if (!schema.is_object()) {
    throw PromptError(PromptErrorKind::kWrongType,
                      "tools: parameters: got another type, expected a mapping");
  }
  std::string text = ",parameters:{";
  if (const Json* inner = schema.find("properties"); truthy(inner)) {
    if (!inner->is_object()) {
      throw PromptError(PromptErrorKind::kWrongType,
                        "tools: properties: got another type, expected a mapping");
    }
    text += "properties:{" + properties(inner->object(), false) + "},";
  }
  if (const Json* required = schema.find("required"); truthy(required)) {
    text += required_list(*required) + ",";
  }
  if (truthy(schema.find("type"))) {
    text += "type:" + delimited(upper_type(schema)) + "}";
  }
  return text;
}

std::string response(const Json& schema) {
  std::string text = ",response:{";
  if (const Json* description = schema.find("description"); truthy(description)) {
    text += "description:" + delimited(python_text(*description)) + ",";
  }
  if (upper_type(schema) == "OBJECT") {
    text += "type:" + delimited("OBJECT") + "}";
  }
  return text;
}

}  // namespace

std::string prompt_value(const Json& value, KeyStyle keys) {
  if (value.is_string()) {
    return delimited(value.string());
  }
  if (value.is_array()) {
    std::string text = "[";
    for (const Json& item : value.array()) {
      text += (text.size() > 1 ? "," : "") + prompt_value(item, keys);
    }
    return text + "]";
  }
  if (value.is_object()) {
    std::string text = "{";
    for (const auto* entry : sorted_entries(value.object())) {
      const std::string key = keys == KeyStyle::kBare ? entry->first : delimited(entry->first);
      text += (text.size() > 1 ? "," : "") + key + ":" + prompt_value(entry->second, keys);
    }
    return text + "}";
  }
  if (value.is_boolean()) {
    return value.boolean() ? "true" : "false";
  }
  return value.is_null() ? "null" : value.number();
}

std::string prompt_pairs(const Json::Object& mapping) {
  const std::string braced = prompt_value(Json(mapping), KeyStyle::kBare);
  return braced.substr(1, braced.size() - 2);
}

std::string tool_declaration(const Json& tool) {
  const Json* function = tool.find("function");
  if (function == nullptr || !function->is_object()) {
    throw PromptError(PromptErrorKind::kMissing,
                      "tools: function: got nothing, expected a mapping with a name");
  }
  const Json* name = function->find("name");
  if (name == nullptr || !name->is_string()) {
    throw PromptError(PromptErrorKind::kMissing, "tools: function: name: got none, expected text");
  }
  std::string text = "declaration:" + name->string() +
                     "{description:" + delimited(printed(function->find("description")));
  if (const Json* schema = function->find("parameters"); truthy(schema)) {
    text += parameters(*schema);
  }
  if (const Json* schema = function->find("response")) {
    text += response(*schema);
  }
  return text + "}";
}

}  // namespace assay
