// SPDX-License-Identifier: Apache-2.0
// How a text becomes a value (declared in json.h).
#include <unordered_map>

#include "reference/family/base/error.h"
#include "reference/family/base/json.h"
#include "reference/family/base/json_library.h"
#include "reference/family/base/python_number.h"

namespace assay {
namespace {

class Builder final : public JsonEvents {
 public:
  Builder(std::string_view label, JsonRules rules) : label_(label), rules_(rules) {}

  Json take() { return std::move(root_); }

  void null() override { add(Json()); }
  void boolean(bool value) override { add(Json(value)); }
  void integer(std::int64_t value) override { add(Json(value)); }
  void unsigned_integer(std::uint64_t value) override { add(Json(value)); }
  void real(double value, const std::string& written) override {
    const bool integer = written.find_first_of(".eE") == std::string::npos;
    add(Json::Number{integer ? written : python_number(value)});
  }
  void string(std::string& value) override { add(Json(std::move(value))); }
  void start_object() override { open(Json::Object()); }
  void end_object() override { close(); }
  void start_array() override { open(Json::Array()); }
  void end_array() override { close(); }

  void key(std::string& name) override {
    Level& level = open_.back();
    Json::Object& object = level.value.object();
    const auto [entry, is_new] = level.members.try_emplace(name, object.size());
    if (!is_new && !rules_.repeated_keys) {
      throw Error(label_ + ": json: got the key \"" + printable(name) +
                  "\" twice in one object, expected it once");
    }
    level.member = entry->second;
    if (is_new) {
      object.emplace_back(std::move(name), Json());
    }
  }

  void error(std::size_t byte, bool out_of_range) override {
    throw Error(label_ + ": json: got " +
                (out_of_range ? "a number out of range, expected valid json"
                              : "an error at byte " + std::to_string(byte) +
                                    ", expected valid json in utf-8"));
  }

 private:
  struct Level {
    Json value;                                            // the object or the array
    std::unordered_map<std::string, std::size_t> members;  // of the object: key to index
    std::size_t member = 0;                                // whose value is next
  };

  void open(Json empty) {
    if (open_.size() >= rules_.depth) {
      throw Error(label_ + ": json: got objects or arrays more than " +
                  std::to_string(rules_.depth) + " deep, expected fewer");
    }
    open_.emplace_back().value = std::move(empty);
  }

  void close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    add(std::move(value));
  }

  void add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = open_.back();
    if (level.value.is_array()) {
      level.value.array().push_back(std::move(value));
    } else {
      level.value.object()[level.member].second = std::move(value);
    }
  }

  std::string label_;
  JsonRules rules_;
  Json root_;
  std::vector<Level> open_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view label, JsonRules rules) {
  Builder builder(label, rules);
  read_json_events(text, builder);
  return builder.take();
}

}  // namespace assay
