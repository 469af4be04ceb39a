// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/declared_type.h"

#include "reference/family/chat/text_case.h"

namespace assay {
namespace {

constexpr std::size_t kMaxAlternatives = 8;  // of alternatives in one another
constexpr std::string_view kAlternatives[] = {"anyOf", "oneOf", "allOf"};

void add_name(const Json& type, DeclaredTypes& types) {
  if (!type.is_string()) {
    return;
  }
  const std::string name = to_lower(type.string());
  types.string = types.string || name == "string";
  types.integer = types.integer || name == "integer";
  types.number = types.number || name == "number";
  types.boolean = types.boolean || name == "boolean";
}

void add_value(const Json& value, DeclaredTypes& types) {
  types.string = types.string || value.is_string();
  types.boolean = types.boolean || value.is_boolean();
  if (value.is_number()) {
    const bool whole = value.number().find_first_of(".en") == std::string::npos;
    (whole ? types.integer : types.number) = true;
  }
}

// What the type says, or else the values.
void add_own(const Json& schema, DeclaredTypes& types) {
  if (const Json* type = schema.find("type")) {
    add_name(*type, types);
    for (const Json& each : type->is_array() ? type->array() : Json::Array{}) {
      add_name(each, types);
    }
    return;
  }
  if (const Json* choices = schema.find("enum"); choices != nullptr && choices->is_array()) {
    for (const Json& each : choices->array()) {
      add_value(each, types);
    }
  }
  if (const Json* value = schema.find("const")) {
    add_value(*value, types);
  }
}

// A schema and its alternatives.
void add_alternatives(const Json* schema, std::size_t depth, Schemas& all) {
  if (schema == nullptr || !schema->is_object() || depth > kMaxAlternatives) {
    return;
  }
  all.push_back(schema);
  for (const std::string_view word : kAlternatives) {
    const Json* list = schema->find(word);
    for (std::size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i) {
      add_alternatives(&list->array()[i], depth + 1, all);
    }
  }
}

// What a word leads to, in any of the schemas.
Schemas led_to_by(const Schemas& schemas, std::string_view word) {
  Schemas found;
  for (const Json* schema : schemas) {
    add_alternatives(schema->find(word), 0, found);
  }
  return found;
}

const Json* name_of(const Json& tool) {
  const Json* function = tool.find("function");
  const Json* name = function == nullptr ? nullptr : function->find("name");
  return name != nullptr && name->is_string() ? name : nullptr;
}

const Json* function_of(const Json& tools, std::string_view name) {
  if (!tools.is_array()) {
    return nullptr;
  }
  for (const Json& tool : tools.array()) {
    const Json* own = name_of(tool);
    if (own != nullptr && own->string() == name) {
      return tool.find("function");
    }
  }
  return nullptr;
}

}  // namespace

DeclaredTypes declared_types(const Schemas& schemas) {
  DeclaredTypes types;
  for (const Json* schema : schemas) {
    add_own(*schema, types);
  }
  return types;
}

Schemas member_schemas(const Schemas& schemas, std::string_view key) {
  Schemas found;
  for (const Json* schema : schemas) {
    if (const Json* properties = schema->find("properties")) {
      add_alternatives(properties->find(key), 0, found);
    }
  }
  return found.empty() ? led_to_by(schemas, "additionalProperties") : found;
}

Schemas item_schemas(const Schemas& schemas) {
  return led_to_by(schemas, "items");
}

std::vector<std::string_view> declared_keys(const Schemas& schemas) {
  std::vector<std::string_view> keys;
  for (const Json* schema : schemas) {
    const Json* properties = schema->find("properties");
    if (properties != nullptr && properties->is_object()) {
      for (const auto& [key, value] : properties->object()) {
        keys.emplace_back(key);
      }
    }
  }
  return keys;
}

Schemas argument_schemas(const Json* tools, std::string_view name) {
  Schemas found;
  const Json* function =
      tools == nullptr ? nullptr : function_of(*tools, declared_tool(name, *tools));
  if (function != nullptr) {
    add_alternatives(function->find("parameters"), 0, found);
  }
  return found;
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

std::string_view declared_prefix(std::string_view text, const Json* tools, std::string_view after) {
  std::string_view longest;
  for (std::size_t i = 0; tools != nullptr && tools->is_array() && i < tools->size(); ++i) {
    const Json* name = name_of(tools->array()[i]);
    if (name == nullptr || name->string().size() <= longest.size() ||
        !text.starts_with(name->string())) {
      continue;
    }
    const std::size_t next = text.find_first_not_of(" \n\t\r", name->string().size());
    if (next != std::string_view::npos && after.find(text[next]) != std::string_view::npos) {
      longest = name->string();
    }
  }
  return longest;
}

}  // namespace assay
