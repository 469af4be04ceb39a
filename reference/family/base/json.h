// SPDX-License-Identifier: Apache-2.0
// A JSON value: what configs and tokenizers are read into, and what reports are written from.
//
// It keeps what a chat template shows: the order of keys, and a number as its text. A number that
// was read has the text that Python prints for it, because the official templates are executed by
// Python: 3, -1.5, 2.0, 1e+20, an integer of any length.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace assay {

template <class T>
concept JsonInteger = std::integral<T> && !std::same_as<T, bool>;

class Json {
 public:
  struct Number {
    std::string text;
    bool operator==(const Number&) const = default;
  };
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;  // in the order of the file

  // Implicit, so that a document reads as one: Json::Object{{"top_k", 64}, {"text", nullptr}}.
  // NOLINTBEGIN(google-explicit-constructor)
  Json() = default;  // null
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();
  Json(std::nullptr_t) {}
  template <std::same_as<bool> Boolean>  // a pointer is no boolean
  Json(Boolean value) : data_(value) {}
  template <JsonInteger Integer>
  Json(Integer value) : data_(Number{std::to_string(value)}) {}
  Json(double value);  // null where it is not finite
  Json(Number value) : data_(std::move(value)) {}
  Json(std::string value) : data_(std::move(value)) {}
  Json(std::string_view value) : data_(std::string(value)) {}
  Json(const char* value) : data_(std::string(value)) {}
  Json(Array value) : data_(std::move(value)) {}
  Json(Object value) : data_(std::move(value)) {}
  template <class Item>  // numbers or strings
  Json(const std::vector<Item>& items) : data_(Array(items.begin(), items.end())) {}
  // NOLINTEND(google-explicit-constructor)

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_boolean() const { return std::holds_alternative<bool>(data_); }
  bool is_number() const { return std::holds_alternative<Number>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  // The value of a type that has been asked for; another type is the caller's mistake.
  bool boolean() const { return std::get<bool>(data_); }
  const std::string& number() const { return std::get<Number>(data_).text; }
  const std::string& string() const { return std::get<std::string>(data_); }
  const Array& array() const { return std::get<Array>(data_); }
  const Object& object() const { return std::get<Object>(data_); }
  Array& array() { return std::get<Array>(data_); }
  Object& object() { return std::get<Object>(data_); }

  // A number written without sign, fraction and exponent that fits.
  std::optional<std::uint64_t> unsigned_integer() const;

  // The value of an object's key; null where there is none and where this is no object. Walks the
  // object: a caller that wants every member iterates over object() instead.
  const Json* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  // A part that must be there, else Error.
  const Json& at(std::string_view key) const;
  const Json& at(std::size_t index) const;
  const Json& operator[](std::string_view key) const { return at(key); }
  const Json& operator[](std::size_t index) const { return at(index); }
  // For a change: a key that is not there is added at the end, and null becomes an object. The
  // reference holds until the next key is added.
  Json& operator[](std::string_view key);
  Json& operator[](std::size_t index);
  void erase(std::string_view key);

  std::size_t size() const;  // items of an array, members of an object; else 0
  Array::const_iterator begin() const { return array().begin(); }
  Array::const_iterator end() const { return array().end(); }

  // As bool, std::string, a number that T holds, or a vector of these. Error where it is not.
  template <class T>
  T get() const;

  bool operator==(const Json&) const = default;  // of numbers the text: 1 is not 1.0

 private:
  bool checked_boolean() const;
  const std::string& checked_string() const;
  const Array& checked_array() const;
  double checked_real() const;
  // The bits of an integer within the limits.
  std::uint64_t checked_integer(std::int64_t least, std::uint64_t most) const;
  [[noreturn]] void refuse(const std::string& expected) const;

  std::variant<std::monostate, bool, Number, std::string, Array, Object> data_;
};

struct JsonRules {
  std::size_t depth;   // of objects and arrays in one another
  bool repeated_keys;  // of equal keys the last one counts, at the place of the first, as in Python
};
constexpr JsonRules kConfigRules{16, false};
constexpr JsonRules kChatRules{64, true};

// `label` is the text's name in messages. Throws Error "label: json: got …" for what is no JSON,
// not UTF-8, or against the rules.
Json parse_json(std::string_view text, std::string_view label, JsonRules rules = kConfigRules);

struct JsonLayout {
  int indent = 0;       // spaces for each level; 0: all in one line
  bool spaces = true;   // after commas and colons of that line
  bool sorted = false;  // objects by key
  bool ascii = true;    // other characters as \u00e9
};

// By default as Python's json.dumps prints it: {"a": 1, "b": ["\u00e9"]}.
std::string json_text(const Json& value, JsonLayout layout = {});

std::ostream& operator<<(std::ostream& out, const Json& value);

template <class T>
T Json::get() const {
  if constexpr (std::is_same_v<T, bool>) {
    return checked_boolean();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return checked_string();
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(checked_real());
  } else if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    return static_cast<T>(checked_integer(Limits::min(), Limits::max()));
  } else {
    T items;
    for (const Json& item : checked_array()) {
      items.push_back(item.get<typename T::value_type>());
    }
    return items;
  }
}

}  // namespace assay
