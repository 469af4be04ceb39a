// SPDX-License-Identifier: Apache-2.0
// A JSON value that keeps what a template shows: the order of keys and the kind of a number.
//
// Numbers are kept as the text that Python prints for them, because the official templates are
// executed by Python: 3, -1.5, 2.0, 1e+20, an integer of any length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace assay {

class Value {
 public:
  struct Number {
    std::string text;
    bool operator==(const Number&) const = default;
  };
  using List = std::vector<Value>;
  using Mapping = std::vector<std::pair<std::string, Value>>;  // in the order of the file

  Value() = default;  // null
  explicit Value(bool value) : data_(value) {}
  explicit Value(Number value) : data_(std::move(value)) {}
  explicit Value(std::string value) : data_(std::move(value)) {}
  explicit Value(List value) : data_(std::move(value)) {}
  explicit Value(Mapping value) : data_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_boolean() const { return std::holds_alternative<bool>(data_); }
  bool is_number() const { return std::holds_alternative<Number>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_list() const { return std::holds_alternative<List>(data_); }
  bool is_mapping() const { return std::holds_alternative<Mapping>(data_); }

  bool boolean() const { return std::get<bool>(data_); }
  const std::string& number() const { return std::get<Number>(data_).text; }
  const std::string& string() const { return std::get<std::string>(data_); }
  const List& list() const { return std::get<List>(data_); }
  const Mapping& mapping() const { return std::get<Mapping>(data_); }

  // The value of a mapping's key; null where there is none and where this is no mapping.
  const Value* find(std::string_view key) const;

  // What Python takes for true: not null, not false, not 0, not empty.
  bool truthy() const;

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::monostate, bool, Number, std::string, List, Mapping> data_;
};

// Puts a key after those of a mapping.
void add_field(Value::Mapping& mapping, std::string_view key, Value value);

constexpr std::size_t kMaxValueDepth = 64;

// JSON text to a value. Of two equal keys the last one counts, at the place of the first, as in
// Python. Throws Error "label: json: got …" for what is no JSON, not UTF-8 or too deep.
Value parse_value(std::string_view text, std::string_view label);

// As Python's json.dumps prints it, in ASCII: {"a": 1, "b": ["\u00e9"]}.
std::string json_text(const Value& value);

// As Python's str() prints it; repr() inside lists and mappings: ['string', 'null'].
std::string python_text(const Value& value);

// Shortest text that reads back as the same double, in Python's form: 2.0, 1e+20, 1e-05, inf.
std::string python_number(double value);

}  // namespace assay
