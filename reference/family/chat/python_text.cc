// SPDX-License-Identifier: Apache-2.0
// How Python prints values, which is how the official templates do (declared in value.h).
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "reference/family/chat/characters.h"
#include "reference/family/chat/value.h"

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

std::string python_inner(const Value& value) {
  return value.is_string() ? python_repr(value.string()) : python_text(value);
}

}  // namespace

std::string python_text(const Value& value) {
  if (value.is_string()) {
    return value.string();
  }
  if (value.is_list()) {
    std::string out = "[";
    for (const Value& item : value.list()) {
      out += (out.size() > 1 ? ", " : "") + python_inner(item);
    }
    return out + "]";
  }
  if (value.is_mapping()) {
    std::string out = "{";
    for (const auto& [key, item] : value.mapping()) {
      out += (out.size() > 1 ? ", " : "") + python_repr(key) + ": " + python_inner(item);
    }
    return out + "}";
  }
  if (value.is_boolean()) {
    return value.boolean() ? "True" : "False";
  }
  return value.is_null() ? "None" : value.number();
}

std::string python_number(double value) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  std::array<char, 32> buffer{};
  const auto exponent_of = [](std::string_view text) {
    const std::size_t e = text.find('e');
    int exponent = 0;
    const char* first = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
    std::from_chars(first, text.data() + text.size(), exponent);
    return exponent;
  };
  const auto scientific =
      std::to_chars(buffer.begin(), buffer.end(), value, std::chars_format::scientific);
  std::string text(buffer.begin(), scientific.ptr);
  const int exponent = exponent_of(text);
  if (exponent < -4 || exponent >= 16) {
    return text;  // 1e+20, 1.5e-07: two digits of the exponent at least, as in Python
  }
  std::array<char, 64> plain{};
  const auto fixed = std::to_chars(plain.begin(), plain.end(), value, std::chars_format::fixed);
  text.assign(plain.begin(), fixed.ptr);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

}  // namespace assay
