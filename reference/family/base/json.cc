// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/json.h"

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "reference/family/base/error.h"
#include "reference/family/base/mapped_file.h"

namespace assay {
namespace {

constexpr int kMaxDepth = 16;

// Watches a document while it is parsed; nlohmann itself keeps the last of two equal keys.
class DocumentGuard {
 public:
  explicit DocumentGuard(std::string label) : label_(std::move(label)) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMaxDepth) {
        throw Error(label_ + ": json: got objects or arrays more than " +
                    std::to_string(kMaxDepth) + " deep, expected fewer");
      }
    }
    if (event == Event::object_start) {
      keys_.emplace_back();
    } else if (event == Event::object_end) {
      keys_.pop_back();
    } else if (event == Event::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) {
        throw Error(label_ + ": json: got the key \"" + printable(key) +
                    "\" twice in one object, expected it once");
      }
    }
    return true;
  }

 private:
  std::string label_;
  std::vector<std::set<std::string>> keys_;
};

std::string integer_expectation(IntegerRange range, bool too_large) {
  if (too_large) {
    return "at most " + std::to_string(range.most);
  }
  return range.least == 0   ? "a non-negative integer"
         : range.least == 1 ? "a positive integer"
                            : "an integer of at least " + std::to_string(range.least);
}

}  // namespace

Json parse_json(std::string_view text, std::string_view label) {
  DocumentGuard guard{std::string(label)};
  try {
    return Json::parse(text.begin(), text.end(), std::ref(guard));
  } catch (const Json::parse_error& error) {
    throw Error(std::string(label) + ": json: got an error at byte " + std::to_string(error.byte) +
                ", expected valid json in utf-8");
  } catch (const Json::exception&) {
    throw Error(std::string(label) + ": json: got a number out of range, expected valid json");
  }
}

Json parse_json_file(const std::filesystem::path& path, std::string_view label, std::size_t limit) {
  const MappedFile file = MappedFile::open(path, label);
  const auto bytes = file.bytes();
  if (bytes.size() > limit) {
    throw Error(std::string(label) + ": got " + std::to_string(bytes.size()) +
                " bytes, expected at most " + std::to_string(limit));
  }
  return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, label);
}

std::string json_quote(std::string_view text) {
  return Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
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
  return printable(value->dump(-1, ' ', true, Json::error_handler_t::replace));
}

JsonObject::JsonObject(const Json* value, std::string label, std::string path)
    : value_(value), label_(std::move(label)), path_(std::move(path)) {
  if (!value_->is_object()) {
    const std::string place = path_.empty() ? "" : path_.substr(0, path_.size() - 1) + ": ";
    throw Error(label_ + ": " + place + "got " + describe_json(value_) + ", expected an object");
  }
}

const Json* JsonObject::find(std::string_view key) const {
  const auto entry = value_->find(std::string(key));
  return entry == value_->end() ? nullptr : &*entry;
}

bool JsonObject::has(std::string_view key) const {
  const Json* entry = find(key);
  return entry != nullptr && !entry->is_null();
}

std::size_t JsonObject::integer(std::string_view key, IntegerRange range) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_number_unsigned() ||
      entry->get<std::uint64_t>() < range.least) {
    fail(key, integer_expectation(range, false));
  }
  if (entry->get<std::uint64_t>() > range.most) {
    fail(key, integer_expectation(range, true));
  }
  return entry->get<std::size_t>();
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
    fail(key, "a number between " + Json(range.above).dump() + " and " + Json(range.below).dump());
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
  return find(key)->get<bool>();
}

std::string JsonObject::text(std::string_view key) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_string()) {
    fail(key, "a string");
  }
  return entry->get<std::string>();
}

JsonObject JsonObject::object(std::string_view key) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_object()) {
    fail(key, "an object");
  }
  return {entry, label_, path_ + printable(key) + "."};
}

const Json::array_t& JsonObject::array(std::string_view key) const {
  const Json* entry = find(key);
  if (entry == nullptr || !entry->is_array()) {
    fail(key, "an array");
  }
  return entry->get_ref<const Json::array_t&>();
}

void JsonObject::expect(std::string_view key, const Json& expected) const {
  if (has(key) && *find(key) != expected) {
    fail(key, expected.dump());
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
  throw Error(label_ + ": " + path_ + printable(key) + ": got " + got + ", expected " + expected);
}

}  // namespace assay
