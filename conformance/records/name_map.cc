// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/name_map.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::uintmax_t kMaxBytes = 1 << 20;

constexpr std::array<std::string_view, 5> kPlaceholders = {"{i}", "{s}", "{j}", "{r}", "{k}"};

// The placeholder at the beginning of text, or "".
std::string_view placeholder_at(std::string_view text) {
  const auto found = std::ranges::find_if(
      kPlaceholders, [&](std::string_view placeholder) { return text.starts_with(placeholder); });
  return found == kPlaceholders.end() ? std::string_view() : *found;
}

std::size_t leading_digits(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, [](char c) { return c >= '0' && c <= '9'; });
  return static_cast<std::size_t>(end - text.begin());
}

using Numbers = std::vector<std::pair<std::string_view, std::string>>;

// The numbers that make `name` out of `pattern`, or nothing.
std::optional<Numbers> match(std::string_view pattern, std::string_view name) {
  Numbers numbers;
  while (!pattern.empty()) {
    const std::string_view placeholder = placeholder_at(pattern);
    if (placeholder.empty()) {
      if (name.empty() || name.front() != pattern.front()) {
        return std::nullopt;
      }
      pattern.remove_prefix(1);
      name.remove_prefix(1);
      continue;
    }
    const std::size_t digits = leading_digits(name);
    if (digits == 0) {
      return std::nullopt;
    }
    numbers.emplace_back(placeholder, name.substr(0, digits));
    pattern.remove_prefix(placeholder.size());
    name.remove_prefix(digits);
  }
  return name.empty() ? std::optional(numbers) : std::nullopt;
}

std::string filled(std::string_view pattern, const Numbers& numbers) {
  std::string text(pattern);
  for (const auto& [placeholder, number] : numbers) {
    const std::size_t at = text.find(placeholder);
    if (at != std::string::npos) {
      text.replace(at, placeholder.size(), number);
    }
  }
  return text;
}

std::string trimmed(const std::string& text) {
  const char* blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  const std::size_t last = text.find_last_not_of(blanks);
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

void check_row(const std::string& tap, const std::string& name, const std::string& place) {
  if (tap.empty() || name.empty()) {
    throw Error(place + "got an empty column, expected tap,name");
  }
  for (const std::string_view placeholder : kPlaceholders) {
    const bool in_tap = tap.find(placeholder) != std::string::npos;
    const bool in_name = name.find(placeholder) != std::string::npos;
    if (in_tap != in_name) {
      throw Error(place + "got " + std::string(placeholder) + " in one column, expected it in " +
                  "both or in neither");
    }
  }
}

}  // namespace

NameMap NameMap::parse(const std::string& text, const std::string& source) {
  NameMap map;
  std::istringstream lines(text);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) {
      continue;
    }
    const std::string place = source + ": line " + std::to_string(number) + ": ";
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos || line.find(',', comma + 1) != std::string::npos) {
      throw Error(place + "got " + std::to_string(std::ranges::count(line, ',') + 1) +
                  " columns, expected tap,name");
    }
    std::string tap = trimmed(line.substr(0, comma));
    std::string name = trimmed(line.substr(comma + 1));
    check_row(tap, name, place);
    map.rows_.emplace_back(std::move(tap), std::move(name));
  }
  if (map.rows_.empty()) {
    throw Error(source + ": map: got no rows, expected tap,name lines");
  }
  return map;
}

NameMap NameMap::read(const std::filesystem::path& path) {
  const std::string label = path.filename().string();
  std::error_code error;
  const std::uintmax_t size = std::filesystem::is_regular_file(path, error)
                                  ? std::filesystem::file_size(path, error)
                                  : kMaxBytes + 1;
  if (error || size > kMaxBytes) {
    throw Error(label + ": file: got none or one too large, expected a CSV below 1 MiB");
  }
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse(text, label);
}

std::optional<std::string> NameMap::tap_of(const std::string& name) const {
  for (const auto& [tap, pattern] : rows_) {
    if (const auto numbers = match(pattern, name)) {
      return filled(tap, *numbers);
    }
  }
  return std::nullopt;
}

}  // namespace assay::conformance
