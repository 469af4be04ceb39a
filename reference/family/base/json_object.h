// SPDX-License-Identifier: Apache-2.0
// Typed readers of an untrusted JSON object: every surprise becomes one message,
// "config.json: text_config.hidden_size: got -3, expected a positive integer".
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "reference/family/base/json.h"

namespace assay {

constexpr std::size_t kMaxConfigBytes = 4u << 20;  // of a config file, as limit below

// A file of at most `limit` bytes; `label` is its name in messages.
Json parse_json_file(const std::filesystem::path& path, std::string_view label, std::size_t limit);

// What an error says was got: a scalar as written, "an object", "an array of 3 values".
std::string describe_json(const Json* value);

struct IntegerRange {
  std::size_t least = 1;
  std::size_t most = 1;
};

struct NumberRange {  // both ends excluded
  double above = 0;
  double below = 0;
};

// One object of a document, with the path that leads to it. Does not own the value.
class JsonObject {
 public:
  // Throws when `value` is not an object; `path` is empty at the root, else ends in a full stop.
  JsonObject(const Json* value, std::string label, std::string path);

  const Json& value() const { return *value_; }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  bool has(std::string_view key) const;  // there, and not null

  // Null when absent.
  const Json* find(std::string_view key) const;

  std::size_t integer(std::string_view key, IntegerRange range) const;
  std::size_t integer_or(std::string_view key, IntegerRange range, std::size_t fallback) const;
  double number(std::string_view key, NumberRange range) const;
  double number_or(std::string_view key, NumberRange range, double fallback) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::string text(std::string_view key) const;
  JsonObject object(std::string_view key) const;
  JsonObject object(const Json::Member& member) const;  // one that value() has, without a search
  const Json::Array& array(std::string_view key) const;

  // Absent and null are as good as `expected`: a key that must not say anything else.
  void expect(std::string_view key, const Json& expected) const;

  // "label: path.key: got <the value>, expected <expected>": as fail() says it, for a warning.
  std::string complaint(std::string_view key, const std::string& expected) const;

  [[noreturn]] void fail(std::string_view key, const std::string& expected) const;
  [[noreturn]] void fail_element(std::string_view key, std::size_t index,
                                 const std::string& expected) const;
  // The same with `got` in the caller's words.
  [[noreturn]] void fail_as(std::string_view key, const std::string& got,
                            const std::string& expected) const;

 private:
  std::string complaint_as(std::string_view key, const std::string& got,
                           const std::string& expected) const;

  const Json* value_;
  std::string label_;
  std::string path_;
};

}  // namespace assay
