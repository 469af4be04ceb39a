// SPDX-License-Identifier: Apache-2.0
#include "reference/family/base/python_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace assay {

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
