// SPDX-License-Identifier: Apache-2.0
#include "reference/family/chat/python_text.h"

#include <cstdint>

#include "reference/family/chat/characters.h"

namespace assay {
namespace {

// \x1b, \u200b, \U000e0001
std::string escaped(std::uint32_t code) {
  constexpr char kHex[] = "0123456789abcdef";
  const int digits = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
  std::string out = digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += kHex[code >> shift & 15];
  }
  return out;
}

std::string escaped_control(std::uint32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return escaped(code);
  }
}

// A string as repr() prints it.
std::string python_repr(const std::string& text) {
  const bool has_single = text.find('\'') != std::string::npos;
  const bool has_double = text.find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    if (!is_printable(c.code)) {
      out += escaped_control(c.code);
    } else {
      const bool marked = c.code == '\\' || c.code == static_cast<unsigned char>(quote);
      out += (marked ? "\\" : "") + text.substr(at, c.bytes);
    }
    at += c.bytes;
  }
  return out + quote;
}

std::string python_inner(const Json& value) {
  return value.is_string() ? python_repr(value.string()) : python_text(value);
}

}  // namespace

bool truthy(const Json& value) {
  if (value.is_null()) {
    return false;
  }
  if (value.is_boolean()) {
    return value.boolean();
  }
  if (value.is_number()) {
    return value.number().find_first_of("123456789in") != std::string::npos;
  }
  return value.is_string() ? !value.string().empty() : value.size() != 0;
}

std::string python_text(const Json& value) {
  if (value.is_string()) {
    return value.string();
  }
  if (value.is_array()) {
    std::string out = "[";
    for (const Json& item : value.array()) {
      out += (out.size() > 1 ? ", " : "") + python_inner(item);
    }
    return out + "]";
  }
  if (value.is_object()) {
    std::string out = "{";
    for (const auto& [key, item] : value.object()) {
      out += (out.size() > 1 ? ", " : "") + python_repr(key) + ": " + python_inner(item);
    }
    return out + "}";
  }
  if (value.is_boolean()) {
    return value.boolean() ? "True" : "False";
  }
  return value.is_null() ? "None" : value.number();
}

}  // namespace assay
