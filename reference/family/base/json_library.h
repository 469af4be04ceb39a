// SPDX-License-Identifier: Apache-2.0
// The one door to nlohmann's JSON library, which takes seconds to compile wherever it is included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

// What a text contains, in its order. A listener that has had enough throws.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;

  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  virtual void integer(std::int64_t value) = 0;  // written with a minus sign
  virtual void unsigned_integer(std::uint64_t value) = 0;
  // Written with a fraction, an exponent or more digits than the other two hold; finite.
  virtual void real(double value, const std::string& written) = 0;
  virtual void string(std::string& value) = 0;  // the listener may move it away, as a key
  virtual void start_object() = 0;
  virtual void key(std::string& name) = 0;
  virtual void end_object() = 0;
  virtual void start_array() = 0;
  virtual void end_array() = 0;

  // No JSON or no UTF-8 after `byte` bytes; `out_of_range` where it is a number beyond a double.
  [[noreturn]] virtual void error(std::size_t byte, bool out_of_range) = 0;
};

void read_json_events(std::string_view text, JsonEvents& events);

// `text` between quotes, escaped; what is not UTF-8 becomes U+FFFD. `ascii`: so do others as
// \u00e9.
std::string json_quote(std::string_view text, bool ascii = true);

// A text that reads back as the same double, as short as can be or nearly: 2.0, 1e+20, 1e-06; null
// where it is not finite.
std::string json_number(double value);

}  // namespace assay
