// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/json.h"

#include <charconv>
#include <cmath>

#include "reference/family/base/error.h"
#include "reference/family/base/json_library.h"

namespace assay {
namespace {

// The whole of `text` as a number of that type.
template <class Number>
std::optional<Number> number_of(const std::string& text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [last, state] = std::from_chars(text.data(), end, value);
  return state == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

}  // namespace

Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json::Json(double value) {
  if (std::isfinite(value)) {
    data_ = Number{json_number(value)};
  }
}

std::optional<std::uint64_t> Json::unsigned_integer() const {
  return is_number() ? number_of<std::uint64_t>(number()) : std::nullopt;
}

const Json* Json::find(std::string_view key) const {
  if (is_object()) {
    for (const auto& [name, value] : object()) {
      if (name == key) {
        return &value;
      }
    }
  }
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) {
    refuse("an object with the key \"" + printable(key) + "\"");
  }
  return *value;
}

const Json& Json::at(std::size_t index) const {
  if (index >= checked_array().size()) {
    refuse("more than " + std::to_string(index) + " values");
  }
  return array()[index];
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) {
    data_ = Object();
  } else if (!is_object()) {
    refuse("an object");
  }
  for (auto& [name, value] : object()) {
    if (name == key) {
      return value;
    }
  }
  Member& member = object().emplace_back();
  member.first = key;
  return member.second;
}

Json& Json::operator[](std::size_t index) {
  static_cast<void>(std::as_const(*this).at(index));  // that it is there
  return array()[index];
}

void Json::erase(std::string_view key) {
  std::erase_if(object(), [&](const Member& member) { return member.first == key; });
}

std::size_t Json::size() const {
  return is_array() ? array().size() : is_object() ? object().size() : 0;
}

bool Json::checked_boolean() const {
  return is_boolean() ? boolean() : (refuse("true or false"), false);
}

const std::string& Json::checked_string() const {
  return is_string() ? string() : (refuse("a string"), string());
}

const Json::Array& Json::checked_array() const {
  return is_array() ? array() : (refuse("an array"), array());
}

double Json::checked_real() const {
  const auto value = is_number() ? number_of<double>(number()) : std::nullopt;
  return value ? *value : (refuse("a number"), 0);
}

std::uint64_t Json::checked_integer(std::int64_t least, std::uint64_t most) const {
  if (const auto value = unsigned_integer(); value && *value <= most) {
    return *value;
  }
  const auto value = is_number() ? number_of<std::int64_t>(number()) : std::nullopt;
  if (!value || *value >= 0 || *value < least) {
    refuse("an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<std::uint64_t>(*value);
}

void Json::refuse(const std::string& expected) const {
  throw Error("json: got " + printable(json_text(*this)) + ", expected " + expected);
}

}  // namespace assay
