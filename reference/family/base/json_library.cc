// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/json_library.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

using Library = nlohmann::json;

constexpr int kOutOfRange = 406;  // nlohmann's number of that error

// What nlohmann calls while it parses; `true` asks it to go on.
class Forwarder {
 public:
  explicit Forwarder(JsonEvents& events) : events_(events) {}

  bool null() { return events_.null(), true; }
  bool boolean(bool value) { return events_.boolean(value), true; }
  bool number_integer(std::int64_t value) { return events_.integer(value), true; }
  bool number_unsigned(std::uint64_t value) { return events_.unsigned_integer(value), true; }
  bool number_float(double value, const std::string& text) {
    return events_.real(value, text), true;
  }
  bool string(std::string& value) { return events_.string(value), true; }
  bool binary(Library::binary_t& /*of other formats*/) { return false; }

  bool start_object(std::size_t /*size*/) { return events_.start_object(), true; }
  bool key(std::string& name) { return events_.key(name), true; }
  bool end_object() { return events_.end_object(), true; }
  bool start_array(std::size_t /*size*/) { return events_.start_array(), true; }
  bool end_array() { return events_.end_array(), true; }

  bool parse_error(std::size_t byte, const std::string& /*token*/,
                   const Library::exception& error) {
    return events_.error(byte, error.id == kOutOfRange), false;
  }

 private:
  JsonEvents& events_;
};

}  // namespace

void read_json_events(std::string_view text, JsonEvents& events) {
  Forwarder forwarder(events);
  Library::sax_parse(text.begin(), text.end(), &forwarder);
}

std::string json_quote(std::string_view text, bool ascii) {
  const auto plain = [](char c) { return c >= 32 && c < 127 && c != '"' && c != '\\'; };
  if (std::ranges::all_of(text, plain)) {
    return '"' + std::string(text) + '"';
  }
  return Library(std::string(text)).dump(-1, ' ', ascii, Library::error_handler_t::replace);
}

std::string json_number(double value) {
  return Library(value).dump();
}

}  // namespace assay
