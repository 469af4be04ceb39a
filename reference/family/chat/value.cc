// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/value.h"

#include <cstdint>
#include <unordered_map>

#include "reference/family/base/error.h"
#include "reference/family/base/json.h"

namespace assay {
namespace {

// Builds a Value from nlohmann's events, which tell the text of numbers.
class ValueBuilder {
 public:
  explicit ValueBuilder(std::string label) : label_(std::move(label)) {}

  Value take() { return std::move(root_); }

  bool null() { return add(Value()); }
  bool boolean(bool value) { return add(Value(value)); }
  bool number_integer(std::int64_t value) {
    return add(Value(Value::Number{std::to_string(value)}));
  }
  bool number_unsigned(std::uint64_t value) {
    return add(Value(Value::Number{std::to_string(value)}));
  }
  bool number_float(double value, const std::string& text) {
    const bool integer = text.find_first_of(".eE") == std::string::npos;  // longer than 64 bits
    return add(Value(Value::Number{integer ? text : python_number(value)}));
  }
  bool string(std::string& value) { return add(Value(std::move(value))); }
  bool binary(Json::binary_t& /*value*/) { return false; }

  bool start_object(std::size_t /*size*/) { return open(false); }
  bool start_array(std::size_t /*size*/) { return open(true); }
  bool key(std::string& key) {
    open_.back().key = std::move(key);
    return true;
  }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& error) {
    const bool range = error.id == 406;  // nlohmann: a number too large for a double
    throw Error(label_ + ": json: got " +
                (range ? "a number out of range" : "an error at byte " + std::to_string(position)) +
                ", expected valid json in utf-8");
  }

 private:
  struct Level {
    bool is_list = false;
    Value::List list;
    Value::Mapping mapping;
    std::unordered_map<std::string, std::size_t> places;  // of the keys in the mapping
    std::string key;
  };

  bool open(bool is_list) {
    if (open_.size() >= kMaxValueDepth) {
      throw Error(label_ + ": json: got more than " + std::to_string(kMaxValueDepth) +
                  " levels, expected fewer");
    }
    open_.emplace_back();
    open_.back().is_list = is_list;
    return true;
  }

  bool close() {
    Level level = std::move(open_.back());
    open_.pop_back();
    return add(level.is_list ? Value(std::move(level.list)) : Value(std::move(level.mapping)));
  }

  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Level& level = open_.back();
    if (level.is_list) {
      level.list.push_back(std::move(value));
      return true;
    }
    const auto [place, is_new] = level.places.emplace(level.key, level.mapping.size());
    if (is_new) {
      level.mapping.emplace_back(level.key, std::move(value));
    } else {
      level.mapping[place->second].second = std::move(value);
    }
    return true;
  }

  std::string label_;
  Value root_;
  std::vector<Level> open_;
};

}  // namespace

const Value* Value::find(std::string_view key) const {
  if (!is_mapping()) {
    return nullptr;
  }
  for (const auto& [name, value] : mapping()) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

bool Value::truthy() const {
  if (is_null()) {
    return false;
  }
  if (is_boolean()) {
    return boolean();
  }
  if (is_number()) {
    return number().find_first_of("123456789in") != std::string::npos;
  }
  if (is_string()) {
    return !string().empty();
  }
  return is_list() ? !list().empty() : !mapping().empty();
}

void add_field(Value::Mapping& mapping, std::string_view key, Value value) {
  mapping.emplace_back(std::string(key), std::move(value));
}

Value parse_value(std::string_view text, std::string_view label) {
  ValueBuilder builder{std::string(label)};
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string json_text(const Value& value) {
  if (value.is_string()) {
    return json_quote(value.string());
  }
  if (value.is_list()) {
    std::string out = "[";
    for (const Value& item : value.list()) {
      out += (out.size() > 1 ? ", " : "") + json_text(item);
    }
    return out + "]";
  }
  if (value.is_mapping()) {
    std::string out = "{";
    for (const auto& [key, item] : value.mapping()) {
      out += (out.size() > 1 ? ", " : "") + json_quote(key) + ": " + json_text(item);
    }
    return out + "}";
  }
  if (value.is_boolean()) {
    return value.boolean() ? "true" : "false";
  }
  return value.is_null() ? "null" : value.number();
}

}  // namespace assay
