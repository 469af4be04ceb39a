// SPDX-License-Identifier: Apache-2.0
#include "conformance/catalogue/tap_name.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace assay::conformance {
namespace {

bool is_placeholder(std::string_view segment) {
  return segment.size() == 3 && segment.front() == '{' && segment.back() == '}';
}

bool is_digits(std::string_view segment) {
  return !segment.empty() &&
         std::ranges::all_of(segment, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// Calls visit(begin, segment) for each segment of a name.
template <class Visit>
void for_each_segment(std::string_view name, const Visit& visit) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t dot = std::min(name.find('.', begin), name.size());
    visit(begin, name.substr(begin, dot - begin));
    begin = dot + 1;
  }
}

template <class IsNumber>
std::string without_numbers(std::string_view name, const IsNumber& is_number) {
  std::string kind;
  for_each_segment(name, [&](std::size_t begin, std::string_view segment) {
    kind.append(begin == 0 ? "" : ".").append(is_number(segment) ? "{}" : segment);
  });
  return kind;
}

std::size_t prefix_length(std::string_view name) {
  std::size_t end = 0;
  for_each_segment(name, [&](std::size_t begin, std::string_view segment) {
    if (is_digits(segment) || is_placeholder(segment)) {
      end = std::min(begin + segment.size() + 1, name.size());
    }
  });
  return end;
}

}  // namespace

bool is_index(std::string_view segment, std::optional<std::size_t>& value) {
  constexpr std::size_t kMostDigits = 6;
  if (is_placeholder(segment)) {
    return true;
  }
  if (segment.empty() || segment.size() > kMostDigits ||
      (segment.size() > 1 && segment[0] == '0')) {
    return false;
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(segment.begin(), segment.end(), number);
  if (error != std::errc() || end != segment.end()) {
    return false;
  }
  value = number;
  return true;
}

std::string tap_kind(std::string_view name) {
  return without_numbers(name, is_digits);
}

std::string open_pattern(std::string_view pattern) {
  return without_numbers(pattern, is_placeholder);
}

std::string tap_prefix(std::string_view name) {
  return std::string(name.substr(0, prefix_length(name)));
}

std::string tap_leaf(std::string_view name) {
  return std::string(name.substr(prefix_length(name)));
}

std::string beside(std::string_view name, std::string_view leaf) {
  return tap_prefix(name).append(leaf);
}

}  // namespace assay::conformance
