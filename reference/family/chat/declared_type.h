// SPDX-License-Identifier: Apache-2.0
// What the declared tools say of a call: which tool its name means, and which types a value may
// have.
//
// A schema is JSON Schema as tools are declared with: type, a list of types, anyOf, oneOf, allOf,
// enum, const; properties, additionalProperties and items lead to the values inside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reference/family/base/json.h"

namespace assay {

struct DeclaredTypes {
  bool string = false;
  bool integer = false;
  bool number = false;
  bool boolean = false;

  // What is left when null, lists and mappings are set aside.
  bool strings_only() const { return string && !integer && !number && !boolean; }
  bool numbers_only() const { return !string && (integer || number); }
  bool integers_only() const { return integer && !string && !number; }
};

// The mappings that speak of one value: one, several where there are alternatives, or none.
using Schemas = std::vector<const Json*>;

DeclaredTypes declared_types(const Schemas& schemas);

// Of a key's value, of a list's item.
Schemas member_schemas(const Schemas& schemas, std::string_view key);
Schemas item_schemas(const Schemas& schemas);

// All keys that are declared.
std::vector<std::string_view> declared_keys(const Schemas& schemas);

// Of the arguments of a tool, by its exact or prefixed name.
Schemas argument_schemas(const Json* tools, std::string_view name);

// The tool that a call means: its name, or the part after the last ':' or '.' where only that is
// declared ("default_api:get_weather"). Empty: no such tool.
std::string declared_tool(std::string_view name, const Json& tools);

// The longest declared name that a text begins with, white space and one of `after` following it.
// Empty: none.
std::string_view declared_prefix(std::string_view text, const Json* tools, std::string_view after);

}  // namespace assay
