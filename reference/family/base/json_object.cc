// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/json_object.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/base/json_library.h"
#include "reference/family/base/mapped_file.h"

namespace assay {
namespace {

std::string integer_expectation(IntegerRange range, bool too_large) {
  if (too_large) {
    return "at most " + std::to_string(range.most);
  }
  return range.least == 0   ? "a non-negative integer"
         : range.least == 1 ? "a positive integer"
                            : "an integer of at least " + std::to_string(range.least);
}

// Whether they say the same; of numbers the value counts, not how it is written.
bool equal(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return a.get<double>() == b.get<double>();
  }
  if (a.is_array() && b.is_array()) {
    return std::ranges::equal(a.array(), b.array(), equal);
  }
  return a == b;
}

}  // namespace

Json parse_json_file(const std::filesystem::path& path, std::string_view label, std::size_t limit) {
  const MappedFile file = MappedFile::open(path, label);
  const auto bytes = file.bytes();
  if (bytes.size() > limit) {
    throw Error(std::string(label) + ": got " + std::to_string(bytes.size()) +
                " bytes, expected at most " + std::to_string(limit));
  }
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, label);
}

std::string describe_json(const Json* value) {
  if (value == nullptr) {
    return "nothing";
  }
  if (value->is_object()) {
    return "an object";
  }
  if (value->is_array()) {
    return "an array of " + std::to_string(value->size()) + " values";
  }
  return printable(json_text(*value));
}

JsonObject::JsonObject(const Json* value, std::string label, std::string path)
    : value_(value), label_(std::move(label)), path_(std::move(path)) {
  if (!value_->is_object()) {
    const std::string place = path_.empty() ? "" : path_.substr(0, path_.size() - 1) + ": ";
    throw Error(label_ + ": " + place + "got " + describe_json(value_) + ", expected an object");
  }
}

const Json* JsonObject::find(std::string_view key) const {
  return value_->find(key);
}

bool JsonObject::has(std::string_view key) const {
  const Json* entry = find(key);
  return entry != nullptr && !entry->is_null();
}

std::size_t JsonObject::integer(std::string_view key, IntegerRange range) const {
  const Json* entry = find(key);
  const auto value = entry == nullptr ? std::nullopt : entry->unsigned_integer();
  if (!value || *value < range.least) {
    fail(key, integer_expectation(range, false));
  }
  if (*value > range.most) {
    fail(key, integer_expectation(range, true));
  }
  return *value;
}

std::size_t JsonObject::integer_or(std::string_view key, IntegerRange range,
                                   std::size_t fallback) const {
  return has(key) ? integer(key, range) : fallback;
}

double JsonObject::number(std::string_view key, NumberRange range) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_number()) {
    fail(key, "a number");
  }
  const double value = entry->get<double>();
  if (!(value > range.above && value < range.below)) {
    fail(key, "a number between " + json_number(range.above) + " and " + json_number(range.below));
  }
  return value;
}

double JsonObject::number_or(std::string_view key, NumberRange range, double fallback) const {
  return has(key) ? number(key, range) : fallback;
}

bool JsonObject::boolean_or(std::string_view key, bool fallback) const {
  if (!has(key)) {
    return fallback;
  }
  if (!find(key)->is_boolean()) {
    fail(key, "true or false");
  }
  return find(key)->boolean();
}

std::string JsonObject::text(std::string_view key) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_string()) {
    fail(key, "a string");
  }
  return entry->string();
}

JsonObject JsonObject::object(std::string_view key) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_object()) {
    fail(key, "an object");
  }
  return {entry, label_, path_ + printable(key) + "."};
}

JsonObject JsonObject::object(const Json::Member& member) const {
  return {&member.second, label_, path_ + printable(member.first) + "."};
}

const Json::Array& JsonObject::array(std::string_view key) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_array()) {
    fail(key, "an array");
  }
  return entry->array();
}

void JsonObject::expect(std::string_view key, const Json& expected) const {
  if (has(key) && !equal(*find(key), expected)) {
    fail(key, json_text(expected, {.spaces = false}));
  }
}

void JsonObject::fail(std::string_view key, const std::string& expected) const {
  fail_as(key, describe_json(find(key)), expected);
}

void JsonObject::fail_element(std::string_view key, std::size_t index,
                              const std::string& expected) const {
  fail_as(std::string(key) + "." + std::to_string(index), describe_json(&array(key)[index]),
          expected);
}

void JsonObject::fail_as(std::string_view key, const std::string& got,
                         const std::string& expected) const {
  throw Error(complaint_as(key, got, expected));
}

std::string JsonObject::complaint(std::string_view key, const std::string& expected) const {
  return complaint_as(key, describe_json(find(key)), expected);
}

std::string JsonObject::complaint_as(std::string_view key, const std::string& got,
                                     const std::string& expected) const {
  return label_ + ": " + path_ + printable(key) + ": got " + got + ", expected " + expected;
}

}  // namespace assay
